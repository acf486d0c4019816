"""Whether a list of packages brings a module, as far as that is known without an index."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TABLE = Path(__file__).with_name("packages.yml")


@dataclass(frozen=True)
class KnownPackages:
    """``held`` are modules and the packages that have them, ``brings`` what comes with each.

    ``install`` is the package to take for a module, where ``held`` does not say it.
    """

    held: Mapping[str, tuple[str, ...]]
    brings: Mapping[str, frozenset[str]]
    install: Mapping[str, str]

    def holders(self, module: str) -> tuple[str, ...]:
        """The packages that have a dotted module; none where that is not known."""
        return next((self.held[name] for name in _heads(module) if name in self.held), ())

    def to_install(self, module: str) -> str | None:
        """The package to install for a dotted module that is missing; None where nobody knows."""
        named = (self.install[name] for name in _heads(module) if name in self.install)
        return next(named, None) or next(iter(self.holders(module)), None)

    def are_all_known(self, packages: Collection[str]) -> bool:
        """Whether it is known of all packages what they bring."""
        return all(name in self.brings for name in packages)

    def with_brought(self, packages: Collection[str]) -> frozenset[str]:
        """Packages and what comes with them."""
        return frozenset(packages).union(*(self.brings.get(name, ()) for name in packages))


@cache
def known_packages() -> KnownPackages:
    """The table that comes with localep."""
    import yaml

    table = yaml.load(TABLE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    held = {name: (str(canonicalize_name(name)),) for name in table["same"].split()}
    held.update({name: tuple(holders.split()) for name, holders in table["held"].items()})
    brings = {name: frozenset[str]() for name in table["alone"].split()}
    brings.update({name: frozenset(others.split()) for name, others in table["brings"].items()})
    return KnownPackages(held, brings, table["install"])


def _heads(module: str) -> list[str]:
    """The module's own name, after those of the packages that it lies in."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
