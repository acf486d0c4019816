"""`get-logs --container storage-initializer`: what of this machine lies where in a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.operations.endpoints import recorded_spec

if TYPE_CHECKING:
    from localep.engine.base import Container


@dataclass(frozen=True)
class Placement:
    """A part of a deployment: where it came from, and where the container has it.

    ``kind`` is model, code or environment; ``digest`` is that of the environment's image.
    """

    kind: str
    source: str | None
    target: str
    how: str
    digest: str | None = None


def placements(container: Container) -> list[Placement]:
    """What lies in a deployment's container, the models first."""
    recorded = recorded_spec(container)
    how = "copied" if recorded.get("copies_model") else "mounted, read-only"
    models = recorded.get("model_places", {})
    found = [Placement("model", source, target, how) for target, source in models.items()]
    folder = recorded.get("code_folder")
    if folder is not None:
        source = recorded["code"]
        found.append(Placement("code", source, folder, "copied" if source else "made by localep"))
    image, requested = recorded["image"], recorded["requested_image"]
    how = "as it is" if image == requested else "built by localep"
    found.append(Placement("environment", requested, image, how, container.image))
    return found
