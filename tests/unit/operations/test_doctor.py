"""`doctor`: what is gathered of an engine, and that nothing of a trial stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from localep.engine.gpu_request import GpuRequest, GpuSupport
from localep.errors import EngineError, GpuRefused
from localep.operations.doctor import doctor
from localep.operations.workplace import Workplace

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

ALL = GpuRequest(count=-1)
CDI = GpuRequest(is_cdi=True, ids=("nvidia.com/gpu=all",))
UNSUPPORTED = GpuRefused("No.", cause="No driver.", remedy="Install one.", reason="unsupported")
TOO_OLD = GpuRefused("No.", cause="Too old.", remedy="Update it.", reason="old-driver")


@pytest.fixture(autouse=True)
def no_toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVIDIA's toolkit is not installed here."""
    monkeypatch.setattr("localep.operations.gpus.choice.shutil.which", lambda _: None)


@pytest.fixture(autouse=True)
def ended(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """How the commands of trials end: at once, by default with success."""
    outcome: dict[str, Any] = {"status": 0, "output": b""}
    start = engine.start_container

    def start_and_end(identity: str) -> None:
        start(identity)
        found = engine.containers[identity]
        engine.containers[identity] = replace(found, status="exited", exit_code=outcome["status"])

    monkeypatch.setattr(engine, "start_container", start_and_end)
    monkeypatch.setattr(engine, "logs", lambda *_, **__: iter([outcome["output"]]))
    return outcome


def findings(place: Workplace) -> dict[str, tuple[str, str]]:
    """Severity and message by check."""
    result = doctor(place)
    return {item.check: (item.severity.value, item.message) for item in result.findings}


def test_everything_is_examined_and_no_trial_stays(place: Workplace, engine: FakeEngine) -> None:
    found = findings(place)

    assert list(found) == [
        *("engine", "builder", "base image", "disk", "certificates", "index", "GPUs"),
    ]
    assert found["engine"] == ("ok", "Docker 28.5.2 (API 1.51) answers on this machine.")
    assert found["index"][0] == "ok"
    assert engine.containers == {}
    index, gpus = engine.requests.values()
    assert (index.network, index.gpus, gpus.gpus) == ("bridge", None, ALL)
    assert dict(index.environment) == {}  # settings may hold credentials: a file has them


def test_a_base_image_that_is_not_there_leaves_trials_out(
    place: Workplace, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "find_image", lambda _: None)

    assert [*findings(place)] == ["engine", "builder", "base image", "disk", "certificates"]
    assert engine.requests == {}


def test_an_index_that_fails_is_told_in_the_last_of_its_words(
    place: Workplace, ended: dict[str, Any]
) -> None:
    ended["status"] = 2
    ended["output"] = (
        b"error: Failed to fetch: `https://index.example/simple/`\n"
        b"  cause: client error (Connect)\n"
        b"  cause: invalid peer certificate: UnknownIssuer\n"
        b"\nhint: Consider the certificates of the system\n"
    )

    severity, message = findings(place)["index"]

    assert (severity, message.partition(": ")[2]) == (
        "warning",
        "invalid peer certificate: UnknownIssuer.",
    )
    ended["output"] = b""
    assert findings(place)["index"][1].endswith(": nothing came back in time.")


@pytest.mark.parametrize(
    ("support", "refusals", "severity", "message"),
    [
        pytest.param(
            GpuSupport(),
            {ALL: UNSUPPORTED},
            "note",
            "None: the engine names neither CDI devices nor a runtime, and was asked. Deployments "
            "of GPU types run on the CPU.",
            id="none",
        ),
        pytest.param(
            GpuSupport(runtimes=("nvidia",)),
            {},
            "ok",
            "They are given by the runtime nvidia: the engine has it registered.",
            id="the runtime",
        ),
        pytest.param(
            GpuSupport(runtimes=("nvidia",)),
            {ALL: TOO_OLD},
            "warning",
            "They are asked for by the runtime nvidia (the engine has it registered), and "
            "refused: Too old.",
            id="a driver at fault",
        ),
        pytest.param(
            GpuSupport(has_cdi=True, lists_devices=True, devices=CDI.ids, runtimes=("nvidia",)),
            {},
            "ok",
            "They are given by CDI: the engine lists nvidia.com/gpu=all.",
            id="CDI",
        ),
        pytest.param(
            GpuSupport(has_cdi=True),
            {CDI: UNSUPPORTED, GpuRequest(is_cdi=True, ids=("amd.com/gpu=all",)): UNSUPPORTED},
            "ok",
            "They are given by the capability gpu: the engine names neither CDI devices nor a "
            "runtime, and was asked.",
            id="a hook beside an empty CDI",
        ),
    ],
)
def test_the_way_to_gpus_is_told_and_tried(
    place: Workplace,
    engine: FakeEngine,
    support: GpuSupport,
    refusals: dict[GpuRequest, GpuRefused],
    severity: str,
    message: str,
) -> None:
    engine.gpu_support = support
    engine.gpu_refusals = dict(refusals)

    assert findings(place)["GPUs"] == (severity, message)
    assert engine.containers == {}


def test_where_no_engine_answers_that_is_the_finding() -> None:
    result = doctor(EngineError("No engine.", cause="None listens.", remedy="Start Docker."))

    first = result.to_dict()["findings"][0]
    assert (result.is_well, result.to_dict()["is_well"]) == (False, False)
    assert first == {
        "check": "engine",
        "severity": "error",
        "message": "No engine. None listens.",
        "remedy": "Start Docker.",
        "fix": None,
    }
