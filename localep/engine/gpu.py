"""GPUs in the words of a Docker engine: what /info tells, and what a container is asked for with.

Engines from 25 on may hand out CDI devices, from 28.2 on they list them; every engine hands out
GPUs by the capability "gpu" where it found a maker's hook on its PATH as it started.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docker.types import DeviceRequest

from localep.engine.gpu_request import GPU_KINDS, GpuSupport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.engine.gpu_request import GpuRequest

_RUNTIMES = ("nvidia", "amd")
# The first engine that lists its devices; it leaves the list out where it has none.
_LISTING = (28, 2)


def gpu_support(info: Mapping[str, Any]) -> GpuSupport:
    """What the engine's answer to /info tells of GPUs."""
    listed = [device.get("ID", "") for device in info.get("DiscoveredDevices") or ()]
    return GpuSupport(
        has_cdi=bool(info.get("CDISpecDirs")),
        lists_devices=bool(listed) or _version(info) >= _LISTING,
        devices=tuple(device for device in listed if device.partition("=")[0] in GPU_KINDS),
        runtimes=tuple(name for name in _RUNTIMES if name in (info.get("Runtimes") or {})),
        system=info.get("OperatingSystem") or "",
    )


def device_request(gpus: GpuRequest) -> DeviceRequest:
    """GPUs as a container is created with them."""
    if gpus.is_cdi:
        return DeviceRequest(driver="cdi", device_ids=list(gpus.ids))
    return DeviceRequest(count=gpus.count, device_ids=list(gpus.ids), capabilities=[["gpu"]])


def _version(info: Mapping[str, Any]) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", str(info.get("ServerVersion") or ""))
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)
