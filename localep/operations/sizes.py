"""CPUs and bytes as people compare them with an instance type."""

from __future__ import annotations

MIB = 1024**2
GIB = 1024**3


def in_gib(size: float) -> str:
    """Bytes as ``14 GiB`` or ``512 MiB``."""
    number, unit = (size / GIB, "GiB") if size >= GIB else (size / MIB, "MiB")
    return f"{number:.1f}".removesuffix(".0") + f" {unit}"


def cpus_text(cpus: float) -> str:
    """A number of CPUs as ``1 CPU``, ``0.5 CPUs``."""
    return "1 CPU" if cpus == 1 else f"{cpus:g} CPUs"
