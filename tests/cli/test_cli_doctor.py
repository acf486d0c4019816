"""`localep doctor` where no engine answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

Localep = Callable[..., CompletedProcess[str]]


def test_without_an_engine_that_is_what_is_wrong(localep: Localep) -> None:
    answer = localep("doctor", REQUESTS_CA_BUNDLE=__file__)

    assert (answer.returncode, answer.stderr) == (4, "")
    assert answer.stdout == (
        "error    engine        No Docker engine answers. None listens here.\n"
        "                       Start Docker, or point DOCKER_HOST at an engine that runs.\n"
        f"ok       certificates  Builds trust those of {__file__}.\n"
    )


def test_programs_get_the_findings_as_data(localep: Localep) -> None:
    answer = localep("doctor", "-o", "json", REQUESTS_CA_BUNDLE=__file__)

    assert answer.returncode == 4
    assert json.loads(answer.stdout) == {
        "is_well": False,
        "findings": [
            {
                "check": "engine",
                "severity": "error",
                "message": "No Docker engine answers. None listens here.",
                "remedy": "Start Docker, or point DOCKER_HOST at an engine that runs.",
                "fix": None,
            },
            {
                "check": "certificates",
                "severity": "ok",
                "message": f"Builds trust those of {__file__}.",
                "remedy": None,
                "fix": None,
            },
        ],
    }
