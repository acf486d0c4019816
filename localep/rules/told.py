"""What a rule yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.spec.findings import Severity

if TYPE_CHECKING:
    from localep.spec.documents import Document, KeyPath


@dataclass(frozen=True)
class Told:
    """What a rule found: the path from the spec's own mapping, and the sentence about it.

    ``remedy`` is the cause's where it is None; ``document`` is another one than the spec's,
    such as the conda file, and ``path`` starts at its top then.
    """

    path: KeyPath
    message: str
    remedy: str | None = None
    severity: Severity = Severity.WARNING
    document: Document | None = None
