"""Addresses of indexes and proxies: what is secret in them, and what a build can reach."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LOGIN = re.compile(r"(?<=//)[^/?#\s]+@|^[^/@\s]+:[^/\s]*@")
_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1|0\.0\.0\.0")


def has_credentials(text: str) -> bool:
    """Whether an address in the text has a login before its host's ``@``."""
    return _LOGIN.search(text) is not None


def without_credentials(text: str) -> str:
    """The text with the login of every address in it taken out."""
    return _LOGIN.sub("", text)


def is_reachable(address: str) -> bool:
    """Whether a build can reach an address: http or https, and not this machine's loopback."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and not _LOOPBACK.fullmatch(parts.hostname or "")
