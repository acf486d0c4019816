"""What a build needs of this machine's network settings: CA bundle, package indexes, proxies.

Companies that intercept TLS, or keep an index of their own, have told pip, uv and the system
already; the same settings reach the build. Only http and https addresses do: a local folder is
not there inside a build.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localep.environment import index_settings
from localep.environment.addresses import has_credentials, is_reachable, without_credentials
from localep.environment.dockerfile import CA_SECRET, SECRETS_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT", "CURL_CA_BUNDLE")
_CA_OF_THE_SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True)
class BuildSettings:
    """What goes to a build beside its context.

    ``ca_bundle`` is PEM text, ``variables`` are set in each build step that uses the network,
    ``has_credentials`` tells that they must not end in a layer, and ``notes`` name what was
    left out.
    """

    ca_bundle: str | None = None
    variables: tuple[tuple[str, str], ...] = ()
    has_credentials: bool = False
    notes: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The variables as lines for a POSIX shell to source."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in self.variables]
        if self.ca_bundle is not None:
            path = f"{SECRETS_FOLDER}/{CA_SECRET}"
            lines += [f"export {name}={path}\n" for name in ("SSL_CERT_FILE", "PIP_CERT")]
        return "".join(lines)


def collect_build_settings(
    environ: Mapping[str, str], home: Path, private_options: Iterable[str] = ()
) -> BuildSettings:
    """Gather the settings of a user from the environment and from pip's and uv's files.

    ``private_options`` are further lines as pip's list may have them: ``--extra-index-url URL``.
    """
    indexes = index_settings.collect(environ, home).with_options(private_options)
    left_out: list[str] = []
    variables: dict[str, str] = {}
    default = _reachable([indexes.default] if indexes.default else [], left_out)
    extra = _reachable(indexes.extra, left_out)
    links = _reachable(indexes.find_links, left_out)
    if default:
        variables |= {"PIP_INDEX_URL": default[0], "UV_DEFAULT_INDEX": default[0]}
    if extra:
        variables |= {"PIP_EXTRA_INDEX_URL": " ".join(extra), "UV_INDEX": " ".join(extra)}
    if links:
        variables |= {"PIP_FIND_LINKS": " ".join(links), "UV_FIND_LINKS": ",".join(links)}
    if indexes.trusted_hosts:
        hosts = " ".join(indexes.trusted_hosts)
        variables |= {"PIP_TRUSTED_HOST": hosts, "UV_INSECURE_HOST": hosts}
    variables |= _proxies(environ, left_out)
    return BuildSettings(
        ca_bundle=_ca_bundle(environ, indexes.certificate),
        variables=tuple(variables.items()),
        has_credentials=any(has_credentials(value) for value in variables.values()),
        notes=_notes(left_out),
    )


def user_build_settings(private_options: Iterable[str] = ()) -> BuildSettings:
    """The settings of the user who runs this process."""
    return collect_build_settings(os.environ, Path.home(), private_options)


def find_ca_bundle(environ: Mapping[str, str], configured: str | None) -> Path | None:
    """The file with the authorities that this machine trusts; ``configured`` is pip's own."""
    named = [environ.get(name) for name in _CA_VARIABLES]
    for candidate in (*named, configured, *_CA_OF_THE_SYSTEM):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    return None


def _ca_bundle(environ: Mapping[str, str], configured: str | None) -> str | None:
    path = find_ca_bundle(environ, configured)
    return path.read_text(encoding="utf-8", errors="replace") if path is not None else None


def _reachable(addresses: Sequence[str], left_out: list[str]) -> list[str]:
    kept = [address for address in addresses if is_reachable(address)]
    left_out += [without_credentials(item) for item in addresses if item not in kept]
    return kept


def _proxies(environ: Mapping[str, str], left_out: list[str]) -> dict[str, str]:
    proxies: dict[str, str] = {}
    for name in _PROXY_VARIABLES:
        value = environ.get(name) or environ.get(name.upper())
        if not value:
            continue
        if name != "no_proxy" and not _reachable([value], left_out):
            continue
        proxies |= {name: value, name.upper(): value}
    return proxies


def _notes(left_out: list[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    places = ", ".join(dict.fromkeys(left_out))
    return (f"Not reachable from a build, so left out: {places}.",)
