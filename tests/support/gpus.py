"""What the tests of GPUs read out of a command's answer and a container."""

from __future__ import annotations

import re

from support.engine import Answer, Localep


def warnings_in(answer: Answer) -> list[str]:
    """The texts of its warnings."""
    return re.findall("^Warning: (.*)$", answer.stderr, re.MULTILINE)


def refusal_in(answer: Answer) -> list[str]:
    """The lines of an error of GPUs."""
    assert (answer.status, answer.stdout) == (9, "")
    return answer.stderr[answer.stderr.index("Error: ") :].splitlines()


def variables_of(localep: Localep) -> dict[str, str]:
    """The environment of the deployment's first process."""
    status, text = localep.engine.execute(localep.container(), ["cat", "/proc/1/environ"])
    assert status == 0
    return dict(line.split("=", 1) for line in text.split("\0") if line)
