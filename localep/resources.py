"""The templates and other files that come with localep."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
# A wheel carries the files inside the package, a checkout beside it.
_ROOTS = (_PACKAGE / "data", _PACKAGE.parent)


def read_resource(name: str) -> str:
    """The text of one of localep's own files, such as ``templates/haproxy.cfg.j2``."""
    return resource_path(name).read_text(encoding="utf-8")


def resource_path(name: str) -> Path:
    """Where one of localep's own files or folders lies."""
    for root in _ROOTS:
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(name)


def render_template(name: str, **values: object) -> str:
    """Render one of the templates; a name that the template asks for and misses is an error."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701 - Dockerfiles and HAProxy configuration, no HTML
        keep_trailing_newline=True,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.from_string(read_resource(f"templates/{name}")).render(**values)
