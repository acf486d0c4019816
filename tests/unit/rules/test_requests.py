"""Rules for probes, workers and traffic."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.rules.rule_files import INFO, WARNING, Found, RuleFiles, sound_files

ENDPOINT = "name: orders\n"


@pytest.fixture
def files(tmp_path: Path) -> RuleFiles:
    return sound_files(tmp_path)


@pytest.mark.parametrize("probe", ["liveness_probe", "readiness_probe"])
def test_a_probe_that_gives_up_early_is_told(files: RuleFiles, probe: str) -> None:
    files.add("blue.yml", f"{probe}:\n  period: 5\n  failure_threshold: 4\n")
    assert files.told("probe-window-small") == [
        Found(
            "blue.yml:13:22",
            WARNING,
            f"{probe}.failure_threshold: it gives up 27 s after the start if there is no answer.",
        )
    ]


def test_in_an_older_document_the_probe_is_found_under_its_older_names(files: RuleFiles) -> None:
    files.write(
        "old.yml",
        """\
        name: orders
        type: online
        deployments:
          blue:
            sku: Standard_DS3_v2
            liveness_probe:
              initial_delay_seconds: 1
              period_seconds: 1
              timeout_seconds: 2
        """,
    )
    assert files.told("probe-window-small", "old.yml") == []
    files.change("old.yml", "timeout_seconds: 2", "failure_threshold: 3")
    assert [found.place for found in files.told("probe-window-small", "old.yml")] == [
        "old.yml:9:26"
    ]


@pytest.mark.parametrize(
    "probe",
    [
        "",
        "liveness_probe: {}\n",
        "liveness_probe: {initial_delay: 28, failure_threshold: 1}\n",
        "liveness_probe: {initial_delay: 1, period: 1}\n",
        "liveness_probe: {failure_threshold: 0}\n",  # which the rule for numbers tells
    ],
)
def test_a_probe_that_waits_long_enough_is_not_told(files: RuleFiles, probe: str) -> None:
    files.add("blue.yml", probe)
    assert files.told("probe-window-small") == []


@pytest.mark.parametrize(
    ("probes", "place", "told"),
    [
        (
            "readiness_probe: {initial_delay: 300}\n",
            "blue.yml:11:34",
            "readiness_probe.initial_delay: for 300 s",
        ),
        (
            "readiness_probe: {initial_delay: 400}\nliveness_probe: {initial_delay: 600}\n",
            "blue.yml:12:33",
            "liveness_probe.initial_delay: for 600 s",
        ),
    ],
)
def test_the_longest_delay_is_told_once(
    files: RuleFiles, probes: str, place: str, told: str
) -> None:
    files.add("blue.yml", probes)
    message = f"{told} nothing is asked, even where the server is ready long before."
    assert files.told("probe-delay-long") == [Found(place, INFO, message)]


@pytest.mark.parametrize("probes", ["", "liveness_probe: {initial_delay: 299}\n"])
def test_a_short_delay_is_not_told(files: RuleFiles, probes: str) -> None:
    files.add("blue.yml", probes)
    assert files.told("probe-delay-long") == []


REQUESTS = "request_settings: {max_concurrent_requests_per_instance: 4}\n"


@pytest.mark.parametrize(
    ("more", "found"),
    [
        (
            f"environment_variables: {{WORKER_COUNT: 2}}\n{REQUESTS}",
            Found(
                "blue.yml:11:39",
                WARNING,
                "environment_variables.WORKER_COUNT: there are 2 workers, and "
                "max_concurrent_requests_per_instance is 4.",
            ),
        ),
        (
            "environment_variables: {WORKER_COUNT: 2}\n",
            Found(
                "blue.yml:11:39",
                WARNING,
                "environment_variables.WORKER_COUNT: there are 2 workers, and "
                "max_concurrent_requests_per_instance is 1.",
            ),
        ),
        (
            "environment_variables: {WORKER_COUNT: two}\n",
            Found(
                "blue.yml:11:39",
                WARNING,
                "environment_variables.WORKER_COUNT: 'two' is no number of workers.",
            ),
        ),
        (
            REQUESTS,
            Found(
                "blue.yml:11:58",
                INFO,
                "request_settings.max_concurrent_requests_per_instance: 4 requests are let "
                "through, and without WORKER_COUNT there is one worker.",
            ),
        ),
    ],
)
def test_other_workers_than_requests_are_told(files: RuleFiles, more: str, found: Found) -> None:
    files.add("blue.yml", more)
    assert files.told("worker-count") == [found]


@pytest.mark.parametrize("more", ["", f"environment_variables: {{WORKER_COUNT: '4'}}\n{REQUESTS}"])
def test_as_many_workers_as_requests_are_not_told(files: RuleFiles, more: str) -> None:
    files.add("blue.yml", more)
    assert files.told("worker-count") == []


def test_a_server_or_a_dockerfile_of_ones_own_may_have_any_workers(files: RuleFiles) -> None:
    files.add("blue.yml", REQUESTS)
    files.write("image/Dockerfile", "FROM images/base:1\nENV WORKER_COUNT=4\n")
    before = "image: images/base:1\n  conda_file: conda.yml"
    files.change("blue.yml", before, "build: {path: image}")
    assert files.told("worker-count") == []
    route = "{port: 80, path: /}"
    routes = ", ".join(f"{name}_route: {route}" for name in ("liveness", "readiness", "scoring"))
    after = f"image: images/base:1\n  inference_config: {{{routes}}}"
    files.change("blue.yml", "build: {path: image}", after)
    assert files.told("worker-count") == []


def test_deployments_beside_an_endpoint_without_traffic_are_worth_a_word(
    files: RuleFiles,
) -> None:
    files.write("endpoint.yml", ENDPOINT)
    assert files.told("no-traffic", "endpoint.yml", "blue.yml") == [
        Found("endpoint.yml:1:1", INFO, "without `traffic` no request reaches blue in the cloud.")
    ]


def test_shares_of_nothing_are_worth_a_word(files: RuleFiles) -> None:
    files.write("endpoint.yml", f"{ENDPOINT}traffic: {{blue: 0}}\n")
    assert files.told("no-traffic", "endpoint.yml") == [
        Found("endpoint.yml:2:10", INFO, "traffic: every share is 0.")
    ]


@pytest.mark.parametrize(
    ("traffic", "names"),
    [("", ["endpoint.yml"]), ("traffic: {blue: 100}\n", ["endpoint.yml", "blue.yml"])],
)
def test_an_endpoint_alone_and_one_with_traffic_are_not_told(
    files: RuleFiles, traffic: str, names: list[str]
) -> None:
    files.write("endpoint.yml", ENDPOINT + traffic)
    assert files.told("no-traffic", *names) == []
