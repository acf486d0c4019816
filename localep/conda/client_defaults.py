"""Where conda's clients look for channels whose place nobody has told.

The clients know the addresses: rattler that of a channel's bare name, conda that of its own
channels. Asking them takes a while, so names under the reserved domain ``invalid`` stand for the
addresses until a channel is really asked.
"""

from __future__ import annotations

import warnings
from functools import cache

ALIAS = "https://alias.invalid"
DEFAULTS = "https://defaults.invalid/pkgs"


def settled(text: str) -> str:
    """A text in which the clients' own addresses stand for those names."""
    if DEFAULTS in text:
        text = text.replace(DEFAULTS, _of_conda())
    return text.replace(ALIAS, _of_rattler()) if ALIAS in text else text


@cache
def _of_rattler() -> str:
    from rattler import Channel

    return Channel("name").base_url.rstrip("/").removesuffix("/name")


@cache
def _of_conda() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about parts of its own
        from conda_lock._vendor.conda.base.constants import DEFAULT_CHANNELS_UNIX

    return str(DEFAULT_CHANNELS_UNIX[0]).rpartition("/")[0]
