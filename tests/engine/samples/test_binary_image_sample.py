"""Bytes in and out by @rawhttp: an image in a form, as the body, and painted for GET."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Request, Server, agreed, get, post, upload

SAMPLE = "binary-image"

PHOTO = (Path(__file__).parents[3] / "samples/binary-image/photo.jpg").read_bytes()
SEEN = b'{"format": "JPEG", "size": [64, 48], "brightness": 124.9}'
NO_IMAGE = b'{"message": "This is no image."}'

CASES: dict[str, tuple[Request, int, str, bytes]] = {
    "an image in a form": (upload("image", "photo.jpg", PHOTO), 200, "application/json", SEEN),
    "an image as the body": (post(PHOTO, "image/jpeg"), 200, "application/json", SEEN),
    "an image of a type that is not told": (
        post(PHOTO, "application/octet-stream"),
        200,
        "application/json",
        SEEN,
    ),
    "no image in a form": (upload("image", "a.jpg", b"?"), 400, "application/json", NO_IMAGE),
    "no image as the body": (
        post(b"\xff\xd8\x00", "image/jpeg"),
        400,
        "application/json",
        NO_IMAGE,
    ),
    "nothing": (post(b"", "image/jpeg"), 400, "application/json", NO_IMAGE),
    "a color that is none": (
        get("/score?color=loud"),
        400,
        "application/json",
        b'{"message": "unknown color specifier: \'loud\'"}',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_script_answers(endpoint: SampleEndpoint, served: Server, case: str) -> None:
    request, status, content_type, body = CASES[case]

    answer = agreed(request, endpoint, served)

    assert answer.summary == (status, content_type, body)
    assert (answer.seen, answer["x-ms-run-fn-exec-ms"]) == (200 if status == 200 else 424, "<ms>")


def test_an_answer_is_bytes(endpoint: SampleEndpoint) -> None:
    red = endpoint.send(get("/score?color=red"))

    assert (red.status, red["content-type"]) == (200, "image/png")
    assert red.body.startswith(b"\x89PNG\r\n\x1a\n")
    back = endpoint.send(post(red.body, "image/png"))
    assert back.json() == {"format": "PNG", "size": [8, 8], "brightness": 76.0}


def test_invoke_sends_a_photo_as_it_is(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "binary-image/photo.jpg")

    assert answer.encode() == SEEN
    assert f"azmlinfsrv.print - looked at {len(PHOTO)} bytes" in endpoint.localep("get-logs")
