"""Scripts that take their time: several at once, up to the time-out, and beyond it."""

from __future__ import annotations

import asyncio

from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Answer, Server, post_json
from support.waiting import wait_for

SAMPLE = "long-running"

# As in the sample's deployment.yml.
WORKERS = 3
TIMEOUT_MS = 2000
NEAR, BEYOND = 0.7 * TIMEOUT_MS / 1000, 1.5 * TIMEOUT_MS / 1000


def send_at_once(server: Server, *seconds: float) -> list[Answer]:
    """The answers to requests that one asynchronous client has under way at the same time."""

    async def client() -> list[Answer]:
        requests = [post_json({"seconds": each}) for each in seconds]
        return await asyncio.gather(*(asyncio.to_thread(server.send, one) for one in requests))

    return asyncio.run(client())


def assert_worked_at_once(answers: list[Answer]) -> None:
    """Fail unless there was a moment at which each of them had a worker of its own."""
    assert [answer.seen for answer in answers] == [200] * len(answers)
    work = [answer.json() for answer in answers]
    assert len({one["worker"] for one in work}) == len(work)
    assert max(one["begin"] for one in work) < min(one["end"] for one in work)


def test_an_asynchronous_client_has_all_workers_work_at_once(
    endpoint: SampleEndpoint, served: Server
) -> None:
    assert_worked_at_once(send_at_once(endpoint, *[1.0] * WORKERS))
    assert_worked_at_once(send_at_once(served, *[1.0] * WORKERS))


def test_a_script_may_take_as_long_as_the_yaml_says(endpoint: SampleEndpoint) -> None:
    near, beyond = send_at_once(endpoint, NEAR, BEYOND)

    assert near.seen == 200
    assert beyond.summary == (
        408,
        "text/plain",
        b"The deployment took longer than request_timeout_ms.",
    )
    # The script knows nothing of it and goes on to its end.
    wait_for(lambda: endpoint.localep("get-logs").count(f"worked for {BEYOND:g} s") == 1)


def test_a_served_script_is_stopped_at_the_time_out(served: Server) -> None:
    near, beyond = send_at_once(served, NEAR, BEYOND)

    assert near.status == 200
    assert beyond.summary == (
        500,
        "application/json",
        b'{"message": "Scoring timeout after 2000 ms"}',
    )
    assert beyond["x-ms-run-function-failed"] == "True"


def test_invoke_says_that_it_took_too_long(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep.run("invoke", "-r", "-", stdin=f'{{"seconds": {BEYOND}}}')

    assert (answer.status, answer.stdout, answer.stderr) == (
        7,
        "The deployment took longer than request_timeout_ms.",
        "Error: The endpoint answered 408 Request Time-out.\n"
        "Cause: run() took longer than request_timeout_ms, which is 2000 (run-too-slow).\n"
        "Remedy: Raise request_timeout_ms (180000 at most), or make run() faster.\n",
    )
