"""Scripts that do not get ready: the reason is shown at once, and nothing is left behind."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from support.engine import Answer, Localep, write_script
from support.failing_scripts import (
    DEATHS,
    FAILURES,
    HELPER,
    SCRIPT_THAT_HANGS,
    death_text,
    hanging_text,
    script_that_dies,
)


def create(localep: Localep, hello: Path, script: str, *arguments: str) -> Answer:
    """Create an endpoint that fails."""
    write_script(hello, script)
    scratch = localep.folder / "scratch"
    scratch.mkdir()
    localep.environ["TMPDIR"] = str(scratch)
    answer = localep.run(
        "create", "-f", "hello/deployment.yml", "--skip-script-validation", *arguments
    )
    assert (answer.status, answer.stdout) == (6, "")
    assert localep.left_behind() == []
    assert list(scratch.iterdir()) == []
    return answer


def seconds_since_the_server_died(localep: Localep, begun: float) -> float:
    """How long ago the one container of a deployment ended by itself."""
    now = time.time()
    labels = localep.names.labels(role="deployment").items()
    wanted = [f"{name}={value}" for name, value in labels]
    events: Any = localep.engine.api.events(  # type: ignore[call-overload]
        since=f"{begun:.6f}",
        until=f"{now:.6f}",
        filters={"label": wanted, "event": "die"},
        decode=True,
    )
    (died,) = events
    return float(now - died["timeNano"] / 1e9)


@pytest.mark.parametrize(("script", "expected"), FAILURES)
def test_the_users_own_traceback_is_shown_as_soon_as_the_server_ends(
    localep: Localep, hello: Path, script: str, expected: str
) -> None:
    (hello / "code" / "helper.py").write_text(HELPER)
    begun = time.time()

    assert create(localep, hello, script).stderr == expected

    assert seconds_since_the_server_died(localep, begun) < 5  # 0.5 on an idle machine


@pytest.mark.parametrize(("line", "how", "details", "remedy"), DEATHS)
def test_a_worker_that_keeps_dying_is_given_up(
    localep: Localep, hello: Path, line: str, how: str, details: str, remedy: str
) -> None:
    answer = create(localep, hello, script_that_dies(line))

    assert answer.stderr == death_text(how, details, remedy)


def test_an_init_that_hangs_ends_at_the_time_out(localep: Localep, hello: Path) -> None:
    begun = time.monotonic()

    answer = create(localep, hello, SCRIPT_THAT_HANGS, "--timeout", "5")

    assert 5 < time.monotonic() - begun < 15
    assert answer.stderr == hanging_text(5)
