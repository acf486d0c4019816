"""What is seen of a script's own logging, and what the server says of its settings."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.engine import Localep, copy_sample
from support.sample_endpoint import SampleEndpoint

SAMPLE = "logging"

ORDER = {"item": "apples", "count": 120}
# The time and the process of a line.
STAMP = re.compile(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([DIWE]) \[\d+\] ")


def lines_of_the_script(log: str) -> list[str]:
    """What the script logged and printed, in the order of the log."""
    lines = STAMP.sub(r"\1 ", log).splitlines()
    return [line for line in lines if "orders" in line or "azmlinfsrv.print" in line]


def log_of(localep: Localep) -> str:
    """The whole log, after one request."""
    assert localep.invoke(ORDER) == {"accepted": True}
    return localep("get-logs")


def test_logging_json_lets_the_scripts_log_through(endpoint: SampleEndpoint) -> None:
    log = log_of(endpoint.localep)

    assert lines_of_the_script(log) == [
        "I orders - ready for orders",
        "I orders - 120 of apples",
        "W orders - a large order",
        "I azmlinfsrv.print - an order is done",
    ]
    assert log.count("POST /score 200") == 1
    assert log.count('"POST /score HTTP/1.1" 200') == 1


def test_what_is_seen_without_it(localep: Localep, samples: Path) -> None:
    folder = copy_sample(samples / SAMPLE, localep.folder)
    (folder / "code" / "logging.json").unlink()

    localep("create", "-f", "logging/endpoint.yml", "-f", "logging/deployment.yml")
    # Warnings alone are seen, on standard error: the two streams have no order.
    assert set(lines_of_the_script(log_of(localep))) == {
        "I azmlinfsrv.print - an order is done",
        "WARNING:orders:a large order",
    }

    localep("update", "--log-level", "debug")
    assert lines_of_the_script(log_of(localep)) == [
        "I orders - ready for orders",
        f"D orders - the order as it came: {json.dumps(ORDER)}",
        "I orders - 120 of apples",
        "W orders - a large order",
        "I azmlinfsrv.print - an order is done",
    ]


def test_application_insights_without_a_key_are_off(localep: Localep, samples: Path) -> None:
    copy_sample(samples / SAMPLE, localep.folder)
    # Unquoted it would be YAML's true, which reaches the server as True and means nothing to it.
    enabled = ("--set", 'environment_variables.AML_APP_INSIGHTS_ENABLED="true"')
    key = ("--set", "environment_variables.AML_APP_INSIGHTS_KEY=none")
    files = ("-f", "logging/endpoint.yml", "-f", "logging/deployment.yml")

    localep("create", *files, *enabled)
    settings = log_of(localep).splitlines()
    assert "Application Insights Enabled: false" in settings
    assert "Application Insights Key: None" in settings

    localep("update", *enabled, *key)
    settings = log_of(localep).splitlines()
    assert "Application Insights Enabled: false" in settings
    assert "Invalid Application Insights instrumentation key provided." in settings
    assert "Application Insights has been disabled." in settings
