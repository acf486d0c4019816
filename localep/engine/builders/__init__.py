"""Ways to build an image, best first: buildx, the docker client's BuildKit, the classic one."""

from localep.engine.builders.choice import choose_builder

__all__ = ["choose_builder"]
