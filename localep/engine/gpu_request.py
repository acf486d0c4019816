"""GPUs as localep speaks of them with an engine."""

from __future__ import annotations

from dataclasses import dataclass

AMD_GPU = "amd.com/gpu"
# The kinds of CDI devices that are GPUs, the first before the second.
GPU_KINDS = ("nvidia.com/gpu", AMD_GPU)


@dataclass(frozen=True)
class GpuSupport:
    """What the engine tells of GPUs.

    ``devices`` are the CDI devices of GPUs by their full names (``nvidia.com/gpu=0``), of which an
    engine may know more than it lists where ``lists_devices`` is False; ``runtimes`` are those of
    GPUs' makers that are registered; ``system`` is the operating system that it runs on.
    """

    has_cdi: bool = False
    lists_devices: bool = False
    devices: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    system: str = ""


@dataclass(frozen=True)
class GpuRequest:
    """GPUs for a container: by the full names of CDI devices, or by whoever hands out GPUs.

    ``count`` is -1 for all of them; ``ids`` choose in its place.
    """

    is_cdi: bool = False
    ids: tuple[str, ...] = ()
    count: int = 0
