"""Platforms as engines, registries and people write them, in one spelling."""

from __future__ import annotations

_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
# The only variant there is of an architecture says nothing.
_PLAIN_VARIANTS = {("arm64", "v8"), ("amd64", "v1")}
_UNKNOWN = {"", "unknown"}


def platform_of(system: str | None, architecture: str | None, variant: str | None = None) -> str:
    """A platform as ``linux/amd64``; empty where a part of it is not known."""
    system, architecture = (system or "").lower(), (architecture or "").lower()
    if system in _UNKNOWN or architecture in _UNKNOWN:
        return ""
    architecture = _ARCHITECTURES.get(architecture, architecture)
    parts = [system, architecture]
    if variant and (architecture, variant) not in _PLAIN_VARIANTS:
        parts.append(variant)
    return "/".join(parts)
