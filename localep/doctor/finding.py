"""What a check finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Severity(str, Enum):
    """How much a finding matters: with an error, endpoints cannot be had."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """What a check has found; ``remedy`` says what to do, ``fix`` is the command that does it."""

    check: str
    severity: Severity
    message: str
    remedy: str | None = None
    fix: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain values."""
        return {**asdict(self), "severity": self.severity.value}
