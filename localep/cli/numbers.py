"""Numbers of the command line that may also be a word."""

from __future__ import annotations

import math
import re

import typer

MOST_INSTANCES = 50


def instances(text: str | None) -> str | None:
    """Check a number of instances, or the word `yaml`, for Typer."""
    if text is None or text == "yaml":
        return text
    if not text.isdecimal() or not 1 <= int(text) <= MOST_INSTANCES:
        raise typer.BadParameter(f"{text!r} is neither yaml nor a number from 1 to 50.")
    return text


# Numbers, UUIDs (GPU-..., MIG-...), a GPU and a MIG device of it (0:1), and CDI's full names.
_GPU = r"[A-Za-z0-9][\w.:/=-]*"
_GPUS = re.compile(rf"(?:device=)?{_GPU}(?:,{_GPU})*", re.ASCII)
_MOST_GPUS = 64


def gpus(text: str | None) -> str | None:
    """Check a number of GPUs, their ids, or a word for some of them, for Typer."""
    if text is not None and _GPUS.fullmatch(text) is None:
        raise typer.BadParameter(
            f"{text!r} is neither auto, none, all, a number of GPUs nor ids such as 0,1."
        )
    if text is not None and text.isdecimal() and int(text) > _MOST_GPUS:
        raise typer.BadParameter(f"{text} is more than {_MOST_GPUS} GPUs; device={text} is an id.")
    return text


_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def size(text: str | None) -> str | None:
    """Check a number of bytes, for Typer."""
    if text is not None and number_of_bytes(text) is None:
        raise typer.BadParameter(f"{text!r} is no number of bytes, such as 1500000, 1.5M or 64K.")
    return text


# Less does not start; that of the memory is the engine's own bound.
_LEAST_CPUS = 0.01
_LEAST_MEMORY = 6 * 1024**2


def cpus(number: float | None) -> float | None:
    """Check a number of CPUs, for Typer."""
    if number is not None and not _LEAST_CPUS <= number < math.inf:
        raise typer.BadParameter(f"{number:g} is not {_LEAST_CPUS:g} or more.")
    return number


def memory(text: str | None) -> str | None:
    """Check a number of bytes that a container can start with, for Typer."""
    found = number_of_bytes(size(text))
    if found is not None and found < _LEAST_MEMORY:
        raise typer.BadParameter(f"{text} is less than the engine's bound of 6M.")
    return text


def shared_memory(text: str | None) -> str | None:
    """Check a number of bytes above none, for Typer."""
    if number_of_bytes(size(text)) == 0:
        raise typer.BadParameter(f"{text} leaves no shared memory at all.")
    return text


def number_of_bytes(text: str | None) -> int | None:
    """What a size says, in bytes, None where it says none: K is 1024 of them, M 1024 K."""
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([KMG]?)I?B?", (text or "").upper())
    return int(float(found.group(1)) * _UNITS[found.group(2)]) if found else None
