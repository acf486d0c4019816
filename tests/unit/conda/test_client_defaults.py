"""The addresses that conda's clients know."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from localep.conda.channels import resolve
from localep.conda.client_defaults import ALIAS, DEFAULTS, settled
from localep.conda.settings import CondaSettings


def test_names_stand_for_the_clients_addresses() -> None:
    alias, defaults = settled(f"{ALIAS}/forge/noarch"), settled(f"{DEFAULTS}/main")

    assert alias.endswith("/forge/noarch")
    assert defaults.endswith("/pkgs/main")
    hosts = [urlsplit(address).hostname or "" for address in (alias, defaults)]
    assert [host.endswith(".invalid") or not host for host in hosts] == [False, False]


def test_what_is_no_such_name_stays(tmp_path: Path) -> None:
    assert settled("https://conda.example/forge::numpy") == "https://conda.example/forge::numpy"


def test_channels_are_settled_with_their_mirrors(tmp_path: Path) -> None:
    channels = resolve(["forge", "defaults"], CondaSettings(), {}, tmp_path)

    assert channels.addresses == (f"{ALIAS}/forge", f"{DEFAULTS}/main", f"{DEFAULTS}/r")
    for before, after in zip(channels.channels, channels.settled().channels, strict=True):
        assert after.address == settled(before.address) != before.address
        assert after.mirrors == (after.address,)
