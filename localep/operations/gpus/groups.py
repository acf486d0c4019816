"""The groups whose members may open the nodes of GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.engine.gpu_request import AMD_GPU
from localep.operations.environments.base_image import base_reference
from localep.operations.trial import try_out

if TYPE_CHECKING:
    from localep.engine.gpu_request import GpuRequest
    from localep.operations.workplace import Workplace

_LIST_GROUPS = ("sh", "-c", "stat --format=%g /dev/kfd /dev/dri/*; true")


def groups_of(place: Workplace, gpus: GpuRequest | None) -> tuple[int, ...]:
    """The groups of a container that has these GPUs.

    AMD's CDI files hand on whom the nodes belong to on the engine's machine: to root and a group,
    whose number only the engine knows. NVIDIA's are open to everybody. Raises GpuRefused.
    """
    if gpus is None or not any(name.startswith(f"{AMD_GPU}=") for name in gpus.ids):
        return ()
    told = try_out(place, base_reference(), _LIST_GROUPS, gpus=gpus).output.split()
    return tuple(sorted({int(word) for word in told if word.isdecimal()} - {0}))
