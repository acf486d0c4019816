"""What /info tells of GPUs, as the engines answered here, and how a container asks for them."""

from __future__ import annotations

from typing import Any

import pytest

from localep.engine.gpu import device_request, gpu_support
from localep.engine.gpu_request import GpuRequest, GpuSupport

RUNC = {"io.containerd.runc.v2": {"path": "runc"}, "runc": {"path": "runc"}}
NVIDIA = {**RUNC, "nvidia": {"path": "/usr/bin/nvidia-container-runtime"}}
CDI_FOLDERS = ["/etc/cdi", "/var/run/cdi"]
BOOKWORM = "Debian GNU/Linux 12 (bookworm)"


def info(version: str, **more: Any) -> dict[str, Any]:
    return {"ServerVersion": version, "OperatingSystem": BOOKWORM, "Runtimes": RUNC, **more}


@pytest.mark.parametrize(
    ("told", "support"),
    [
        pytest.param(info("20.10.24+dfsg1"), GpuSupport(system=BOOKWORM), id="20.10"),
        pytest.param(
            info("20.10.24+dfsg1", Runtimes=NVIDIA),
            GpuSupport(runtimes=("nvidia",), system=BOOKWORM),
            id="20.10 with NVIDIA's runtime",
        ),
        pytest.param(
            info("26.1.5+dfsg1", CDISpecDirs=[]),
            GpuSupport(system=BOOKWORM),
            id="26.1 with CDI off",
        ),
        pytest.param(
            info("26.1.5+dfsg1", CDISpecDirs=CDI_FOLDERS),
            GpuSupport(has_cdi=True, system=BOOKWORM),
            id="26.1 with CDI on",
        ),
        pytest.param(
            info("28.5.2+dfsg4", CDISpecDirs=CDI_FOLDERS),
            GpuSupport(has_cdi=True, lists_devices=True, system=BOOKWORM),
            id="28.5 without devices",
        ),
        pytest.param(
            info("28.1.1", CDISpecDirs=CDI_FOLDERS),
            GpuSupport(has_cdi=True, system=BOOKWORM),
            id="28.1, which lists none",
        ),
        pytest.param(
            info(
                "28.5.2+dfsg4",
                CDISpecDirs=CDI_FOLDERS,
                Runtimes={**NVIDIA, "amd": {"path": "amd-container-runtime"}},
                DiscoveredDevices=[
                    {"Source": "cdi", "ID": "amd.com/gpu=0"},
                    {"Source": "cdi", "ID": "example.com/net=eth1"},
                    {"Source": "cdi", "ID": "nvidia.com/gpu=0"},
                    {"Source": "cdi", "ID": "nvidia.com/gpu=all"},
                ],
            ),
            GpuSupport(
                has_cdi=True,
                lists_devices=True,
                devices=("amd.com/gpu=0", "nvidia.com/gpu=0", "nvidia.com/gpu=all"),
                runtimes=("nvidia", "amd"),
                system=BOOKWORM,
            ),
            id="28.5 with devices",
        ),
        pytest.param({}, GpuSupport(), id="an engine that says nothing"),
    ],
)
def test_what_an_engine_tells_of_gpus(told: dict[str, Any], support: GpuSupport) -> None:
    assert gpu_support(told) == support


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        (
            GpuRequest(is_cdi=True, ids=("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
            {"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]},
        ),
        (GpuRequest(count=-1), {"Count": -1, "Capabilities": [["gpu"]]}),
        (GpuRequest(count=2), {"Count": 2, "Capabilities": [["gpu"]]}),
        (GpuRequest(ids=("0", "MIG-1")), {"DeviceIDs": ["0", "MIG-1"], "Capabilities": [["gpu"]]}),
    ],
)
def test_how_a_container_asks_for_gpus(request_: GpuRequest, sent: dict[str, Any]) -> None:
    nothing = {"Driver": "", "Count": 0, "DeviceIDs": [], "Capabilities": [], "Options": {}}

    assert device_request(request_) == {**nothing, **sent}
