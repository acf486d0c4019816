"""The process that rattler works in: a question on its input, the answer on its output."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from localep.conda.packages import CondaPackage, SolveRequest
from localep.errors import EnvironmentFailure


def main(task: str) -> None:
    """Answer one question."""
    question = json.load(sys.stdin)
    try:
        answer: dict[str, Any] = {
            "result": _solve(question) if task == "solve" else _fetch(question)
        }
    except EnvironmentFailure as error:
        answer = {
            "error": {
                "kind": type(error).__name__,
                "message": error.message,
                "cause": error.cause,
                "remedy": error.remedy,
                "details": error.details,
            }
        }
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # rattler's threads may still be at work


def _solve(question: dict[str, Any]) -> list[dict[str, Any]]:
    from localep.conda.solving import solve_here

    return [asdict(package) for package in solve_here(SolveRequest.from_dict(question))]


def _fetch(question: dict[str, Any]) -> dict[str, str]:
    from localep.conda.fetching import fetch_here

    packages = [CondaPackage.from_dict(entry) for entry in question["packages"]]
    found = fetch_here(packages, question["names"])
    return {name: str(path) for name, path in found.items()}
