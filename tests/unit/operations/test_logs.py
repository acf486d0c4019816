"""`get-logs`: whose log is read, how much of it, and what lies where."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localep.engine.base import Container
from localep.errors import EndpointConflict, UsageError
from localep.operations.create import CreateOptions, create
from localep.operations.logs import (
    follow_gateway_log,
    get_gateway_log,
    get_logs,
    get_placements,
)
from localep.operations.placements import Placement, placements
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

Load = Callable[..., Bundle]
GATEWAY = "id of localep-hello-gateway"
DULL = b"[NOTICE]   (1) : Loading success."
ALERT = b"[ALERT]    (8) : backend 'deployment' has no server available!"


def line(number: int) -> bytes:
    """A request of the access log; ``number`` is its time."""
    return b'{"TimeGenerated":%d,"ResponseCode":200,"TotalDurationMs":1}' % number


class Written:
    """The log of one container; remembers how it was read."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.asked: list[tuple[str, int | None, bool]] = []

    def logs(
        self, identity: str, *, lines: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        self.asked.append((identity, lines, follow))
        found = self.lines if lines is None else self.lines[max(len(self.lines) - lines, 0) :]
        yield from (text + b"\n" for text in found)


@pytest.fixture
def written(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[bytes]], Written]:
    """An endpoint whose gateway has written some lines."""
    create(place, load("endpoint.yml", "deployment.yml"), CreateOptions(port=8085))

    def write(lines: list[bytes]) -> Written:
        log = Written(lines)
        monkeypatch.setattr(place.engine, "logs", log.logs)
        return log

    return write


def times(place: Workplace, lines: int) -> list[int]:
    return [request.time for request in get_gateway_log(place, "hello", lines=lines).requests]


def test_the_last_requests_are_given_with_what_was_said_meanwhile(
    place: Workplace, written: Callable[[list[bytes]], Written]
) -> None:
    written([ALERT, line(1), DULL, line(2), ALERT, line(3), DULL])

    log = get_gateway_log(place, "hello", lines=2)

    assert log.endpoint == "hello"
    assert [entry if isinstance(entry, str) else entry.time for entry in log.entries] == [
        2,
        ALERT.decode(),
        3,
    ]
    assert log.troubles == [ALERT.decode()]
    assert times(place, 50) == [1, 2, 3]
    assert times(place, 0) == []


def test_more_of_the_log_is_read_where_haproxy_has_said_a_lot(
    place: Workplace, written: Callable[[list[bytes]], Written]
) -> None:
    log = written([line(1), *[DULL] * 1000, line(2), line(3)])

    assert times(place, 3) == [1, 2, 3]
    assert log.asked == [(GATEWAY, asked, False) for asked in (103, 412, 1648)]
    log.asked.clear()
    assert times(place, 2) == [2, 3]
    assert log.asked == [(GATEWAY, 102, False)]


def test_a_followed_log_begins_with_as_many_requests(
    place: Workplace, written: Callable[[list[bytes]], Written]
) -> None:
    log = written([line(1), DULL, line(2), DULL, ALERT, line(3)])

    found = list(follow_gateway_log(place, "hello", lines=2))

    assert [entry if isinstance(entry, str) else entry.time for entry in found] == [
        2,
        ALERT.decode(),
        3,
    ]
    assert log.asked[-1] == (GATEWAY, 4, True)
    list(follow_gateway_log(place, "hello", lines=0))
    assert log.asked[-1] == (GATEWAY, 0, True)


def test_a_followed_line_may_come_in_pieces(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(place, load("endpoint.yml"), CreateOptions(port=8085))
    pieces = [line(1)[:20], line(1)[20:] + b"\n" + line(2), b"\n"]
    monkeypatch.setattr(place.engine, "logs", lambda *_, **__: iter(pieces))

    found = list(follow_gateway_log(place, "hello", lines=0))

    assert [entry if isinstance(entry, str) else entry.time for entry in found] == [1, 2]


def test_an_instance_is_chosen_by_its_number(place: Workplace, load: Load, told: list[str]) -> None:
    create(
        place,
        load("endpoint.yml", "deployment.yml"),
        CreateOptions(port=8085, instances=2),
    )
    told.clear()

    def log(instance: int | None) -> bytes:
        return b"".join(get_logs(place, None, None, lines=9, follow=False, instance=instance))

    assert log(2) == b"the log of localep-hello-blue-r1-2\n"
    assert log(1) == b"the log of localep-hello-blue-r1\n"
    assert told == []
    assert log(None) == log(1)
    assert told == ["note: This is instance 1 of 2; --instance shows another."]
    with pytest.raises(UsageError) as caught:
        log(3)
    error = caught.value
    assert (error.message, error.cause, error.remedy) == (
        "Deployment blue has no instance 3.",
        "It has 2, counted from 1.",
        "Choose one up to 2.",
    )


def test_a_deployment_that_is_not_there_has_no_log(place: Workplace, load: Load) -> None:
    create(place, load("endpoint.yml"), CreateOptions(port=8085))

    with pytest.raises(EndpointConflict, match="Endpoint hello has no deployment green"):
        get_placements(place, None, "green")
    assert get_gateway_log(place, None, lines=3).entries == ("the log of localep-hello-gateway",)


def test_what_was_placed_where_is_told(place: Workplace, load: Load, project: Path) -> None:
    (project / "model.pkl").write_bytes(b"pickle")
    bundle = load(
        "endpoint.yml",
        "deployment.yml",
        "model.path=model.pkl",
        "model.name=diabetes",
        "model.version=3",
    )
    create(place, bundle, CreateOptions(port=8085))

    assert get_placements(place, None, "blue") == [
        Placement(
            "model",
            str(project / "model.pkl"),
            "/var/azureml-app/azureml-models/diabetes/3/model.pkl",
            "mounted, read-only",
        ),
        Placement("code", str(project / "code"), "/var/azureml-app/code", "copied"),
        environment(place),
    ]


def environment(place: Workplace) -> Placement:
    """The environment of the one deployment, as its container tells."""
    (found,) = place.engine.list_containers(place.names.labels(role="deployment"))
    image = json.loads(found.labels["localep.spec"])["image"]
    return Placement("environment", None, image, "built by localep", found.image)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"copies_model": True}, ("model", "/p/m.pkl", "/models/m/1/m.pkl", "copied", None)),
        ({"code": None}, ("code", None, "/app/code", "made by localep", None)),
        ({"requested_image": "own:1"}, ("environment", "own:1", "own:1", "as it is", "sha256:1")),
    ],
)
def test_each_part_says_how_it_came_there(
    changes: dict[str, object], expected: tuple[str | None, ...]
) -> None:

    record = {
        "model_places": {"/models/m/1/m.pkl": "/p/m.pkl"},
        "copies_model": False,
        "code": "/p/code",
        "code_folder": "/app/code",
        "image": "own:1",
        "requested_image": None,
        **changes,
    }
    container = Container("id", "name", "sha256:1", "running", {"localep.spec": json.dumps(record)})

    found = {one.kind: one for one in placements(container)}

    assert list(found) == ["model", "code", "environment"]
    one = found[str(expected[0])]
    assert (one.kind, one.source, one.target, one.how, one.digest) == expected
