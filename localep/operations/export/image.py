"""`export image`: a deployment as an image that needs no localep to run."""

from __future__ import annotations

import re
import shlex
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.engine.base import BuildFolder, BuildRequest
from localep.errors import EngineError
from localep.operations import layout
from localep.operations.container_plan import users_file
from localep.operations.environments.builds import run_build
from localep.operations.export.dockerfile import USER, is_writable, render_export
from localep.operations.export.files import ROOT, add_folder, add_text
from localep.operations.export.secret_values import Sort, sort_of
from localep.operations.export.tags import check_tag, refuse_own_image
from localep.operations.snapshot import reading
from localep.spec.model import CODE_ROOT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from localep.engine.base import Image
    from localep.operations.export.source import Source
    from localep.operations.workplace import Workplace
    from localep.spec.model import DeploymentSpec

CODE, MODELS = "code.tar", "models.tar"
_KNOWN_FOLDERS = ("/var", CODE_ROOT)
_UNREADABLE = "Check its permissions."
_REMEDY = "Its last lines say what went wrong; the Dockerfile is localep's own."


@dataclass(frozen=True)
class ExportedImage:
    """An image that was exported: its name, id, size in bytes, and what it takes to run it.

    ``ports`` are those that it answers on, the scoring route's first; ``withheld`` are the
    deployment's variables that are not in it.
    """

    image: str
    id: str
    size: int
    ports: tuple[int, ...]
    withheld: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The image as plain values, for JSON and YAML."""
        return asdict(self) | {"command": self.command}

    @property
    def command(self) -> str:
        """The command that runs it on this machine."""
        given = [f"-e {shlex.quote(name)}" for name in self.withheld]
        return " ".join(["docker run --rm", f"-p 5001:{self.ports[0]}", *given, self.image])


def export_image(
    place: Workplace, source: Source, tag: str, keep: Collection[str] = ()
) -> ExportedImage:
    """Bake a deployment into an image of this name.

    ``keep`` are variables that go into the image although they look like secrets. Raises
    UsageError where no image can have that name, DiskFull, and BuildFailed.
    """
    reference = check_tag(tag)
    refuse_own_image(place.engine, reference)
    base = place.engine.find_image(source.identity)
    if base is None:
        raise EngineError(
            f"{source.image} is not there any more.",
            cause="It was removed while it was exported.",
            remedy="Try again.",
        )
    withheld = _withheld(place, source.spec, keep)
    user = _user(place, source, base)
    with _staged(source) as folder:
        files = [name for name in (MODELS, CODE) if (folder / name).exists()]
        dockerfile = render_export(source, base, files, user, withheld)
        (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        place.reporter.step(f"Building {reference}")
        platform = "" if base.platform == place.engine.platform() else base.platform
        request = BuildRequest(reference, BuildFolder(folder, "Dockerfile"), platform=platform)
        image = run_build(place, request, _REMEDY)
    ports = layout.ports(source.spec)
    return ExportedImage(reference, image.identity, image.size, ports, withheld)


@contextmanager
def _staged(source: Source) -> Iterator[Path]:
    """A folder with what the image gets; on disk, as models may be larger than the memory."""
    with reading(Path("the deployment"), _UNREADABLE):
        staged = tempfile.TemporaryDirectory(prefix="localep-")
    with staged as name:
        folder = Path(name)
        with reading(Path("the deployment"), _UNREADABLE):
            _pack(source, folder)
        yield folder


def _pack(source: Source, folder: Path) -> None:
    spec = source.spec
    is_own_server = spec.routes is None
    if layout.model_places(spec):
        with _archive(folder / MODELS) as tar:
            _add_known(tar, _KNOWN_FOLDERS if is_own_server else ())
            source.files.add_models(tar)
    if spec.code is not None:
        with _archive(folder / CODE) as tar:
            if is_own_server:
                _add_known(tar, ("/etc", *_KNOWN_FOLDERS))
                add_text(tar, "/etc/passwd", users_file(USER))
            source.files.add_code(tar, USER if is_own_server else ROOT)


def _add_known(tar: tarfile.TarFile, folders: Iterable[str]) -> None:
    """Add folders that are there anyway: without a date here, a layer has that of its build."""
    for folder in folders:
        add_folder(tar, folder)


def _archive(path: Path) -> tarfile.TarFile:
    return tarfile.open(path, "w", format=tarfile.PAX_FORMAT)


def _withheld(place: Workplace, spec: DeploymentSpec, keep: Collection[str]) -> tuple[str, ...]:
    """The variables that do not go into the image; a warning names each."""
    withheld = []
    for name, value in spec.environment_variables.items():
        sort = sort_of(name, value)
        if sort is Sort.REFERENCE:
            place.reporter.warn(
                f"Variable {name} refers to a secret that only the cloud fills in; the reference "
                "itself is in the image."
            )
        reason = ""
        if not is_writable(name, value):
            reason = "has a line break or another character that no Dockerfile can hold"
        elif sort is Sort.SECRET and name not in keep:
            reason = "looks like a secret"
        if reason:
            withheld.append(name)
            place.reporter.warn(
                f"Variable {name} {reason}, so it is not in the image; give it to the container."
            )
    return tuple(withheld)


def _user(place: Workplace, source: Source, base: Image) -> str:
    """Who the image runs as, by number: Kubernetes tells root from others by that alone.

    Empty where the image's own user is one already.
    """
    if source.spec.routes is None:
        return f"{USER[0]}:{USER[1]}"
    name, colon, group = base.user.partition(":")
    if name in {"", "0", "root"}:
        place.reporter.warn(
            f"The image runs as root, as {source.image} does; many clusters refuse that."
        )
        return ""
    if name.isdigit():
        return ""
    users = (place.engine.file_of_image(source.identity, "/etc/passwd") or b"").decode("latin-1")
    match = re.search(rf"^{re.escape(name)}:[^:]*:(\d+):", users, re.MULTILINE)
    return f"{match[1]}{colon}{group}" if match is not None else ""
