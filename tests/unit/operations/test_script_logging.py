"""The logging.json that shows a script's own records."""

from __future__ import annotations

import json

import pytest

from localep.operations.script_logging import LOG_LEVELS, logging_config


@pytest.mark.parametrize("level", LOG_LEVELS)
def test_the_root_alone_has_the_level(level: str) -> None:
    config = json.loads(logging_config(level))

    assert config["root"] == {"level": level, "handlers": ["script"]}
    assert "level" not in config["handlers"]["script"]
    assert {name: logger["level"] for name, logger in config["loggers"].items()} == dict.fromkeys(
        ("azmlinfsrv", "gunicorn.access", "gunicorn.error"), "INFO"
    )


def test_no_line_of_the_servers_is_doubled() -> None:
    config = json.loads(logging_config("DEBUG"))

    assert [logger["propagate"] for logger in config["loggers"].values()] == [False] * 3


def test_loggers_of_packages_that_are_there_before_go_on() -> None:
    assert json.loads(logging_config("DEBUG"))["disable_existing_loggers"] is False
