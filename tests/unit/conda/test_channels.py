from __future__ import annotations

import json
from pathlib import Path

import pytest

from localep.conda.channels import (
    Channel,
    Channels,
    access_document,
    resolve,
    resolve_request,
)
from localep.conda.packages import SolveRequest
from localep.conda.settings import CondaSettings

ALIAS = CondaSettings(channel_alias="https://conda.example")
COMPANY = CondaSettings(
    channel_alias="https://conda.example/t/s3cret/",
    custom_channels={"team": "https://team.example/get", "local": "/srv/conda"},
    multichannels={"defaults": ("https://main.example/main", "team"), "loop": ("loop", "a")},
    mirrors={"forge": ("https://one.example/forge", "https://u:p@two.example/forge")},
)


def resolved(
    names: list[str], settings: CondaSettings = ALIAS, home: Path = Path("/nowhere")
) -> Channels:
    return resolve(names, settings, {"TOKEN": "s3cret"}, home)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("conda-forge", "https://conda.example/conda-forge"),
        ("conda-forge/", "https://conda.example/conda-forge"),
        ("conda-forge/linux-64", "https://conda.example/conda-forge"),
        ("conda-forge/label/dev", "https://conda.example/conda-forge/label/dev"),
        ("https://other.example/main/noarch", "https://other.example/main"),
        ("file:///srv/channel/", "file:///srv/channel"),
        ("/srv/channel", "file:///srv/channel"),
    ],
)
def test_a_name_is_an_address(name: str, address: str) -> None:
    channels = resolved([name])

    assert channels == Channels((Channel(address, (address,)),))
    assert channels.mirrors == {}
    assert not channels.has_credentials


def test_a_relative_folder_starts_from_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert resolved(["./channel"]).addresses == ((tmp_path / "channel").as_uri(),)


@pytest.mark.parametrize(
    "name",
    [
        "https://host.example/t/s3cret/private",
        "https://host.example/t/$TOKEN/private",
        "https://host.example/t/${TOKEN}/private",
    ],
)
def test_a_token_is_in_the_mirror_and_not_in_the_address(name: str) -> None:
    channels = resolved([name])

    assert channels.addresses == ("https://host.example/private",)
    assert channels.mirrors == {
        "https://host.example/private": ["https://host.example/t/s3cret/private"]
    }
    assert channels.has_credentials


def test_a_login_is_kept_by_its_host() -> None:
    channels = resolved(["https://me:p%40ss@host.example:8443/private"])

    assert channels == Channels(
        (Channel("https://host.example:8443/private", ("https://host.example:8443/private",)),),
        {"host.example": "me:p@ss"},
    )
    assert channels.has_credentials


def test_a_login_of_netrc_is_used_where_the_address_has_none(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(
        "machine host.example login me password pw\n"
        "machine token.example login me password pw\n"
        "machine else.example login me password pw\n"
    )
    names = ["https://host.example/a", "https://token.example/t/x/a"]

    assert resolved(names, home=tmp_path).logins == {"host.example": "me:pw"}


def test_settings_say_where_names_lead() -> None:
    names = ["forge", "team", "local", "nodefaults", "defaults", "forge"]

    assert resolved(names, COMPANY) == Channels(
        (
            Channel(
                "https://conda.example/forge",
                ("https://one.example/forge", "https://two.example/forge"),
            ),
            Channel("https://team.example/get/team", ("https://team.example/get/team",)),
            Channel("file:///srv/conda/local", ("file:///srv/conda/local",)),
            Channel("https://main.example/main", ("https://main.example/main",)),
        ),
        {"two.example": "u:p"},
    )


def test_a_group_that_names_itself_ends() -> None:
    assert resolved(["loop"], COMPANY).addresses == ("https://conda.example/a",)


def test_who_names_no_channel_gets_those_of_the_settings() -> None:
    settings = CondaSettings(channels=("one", "two"), channel_alias="https://conda.example")

    assert resolved([], settings).addresses == (
        "https://conda.example/one",
        "https://conda.example/two",
    )
    assert resolved(["nodefaults"], settings) == resolved([], settings)


def test_a_channel_that_a_spec_names_comes_last() -> None:
    request = SolveRequest(
        ("python=3.10", "other::numpy=1.2", "forge::scipy"), ("forge",), "linux-64"
    )

    channels, specs = resolve_request(request, ALIAS, {}, Path("/nowhere"))

    assert channels.addresses == ("https://conda.example/forge", "https://conda.example/other")
    assert specs == [
        "python=3.10",
        "https://conda.example/other::numpy=1.2",
        "https://conda.example/forge::scipy",
    ]


@pytest.mark.parametrize(
    ("name", "is_reached"),
    [
        ("https://host.example/a", True),
        ("http://localhost:8080/a", False),
        ("http://127.0.0.1:8080/t/s3cret/a", False),
        ("file:///srv/a", False),
    ],
)
def test_a_build_reaches_what_is_no_file_and_not_on_this_machine(
    name: str, is_reached: bool
) -> None:
    channels = resolved([name])

    assert [channels.reached_by_build(folder) for folder in channels.folders] == [is_reached]
    assert channels.reached_by_build("https://elsewhere.example/noarch/a.conda")


def test_a_file_is_asked_for_at_the_mirror() -> None:
    channels = resolved(["https://host.example/t/s3cret/a"])
    url = "https://host.example/a/noarch/x-1-0.conda"

    assert channels.asked_at(url) == "https://host.example/t/s3cret/a/noarch/x-1-0.conda"
    assert channels.asked_at("https://else.example/x.conda") == "https://else.example/x.conda"
    assert channels.without_secrets(f"failed: {channels.asked_at(url)}") == f"failed: {url}"
    assert channels.without_secrets("at https://x.example/t/other/b") == "at https://x.example/b"


def test_a_build_is_told_how_channels_are_reached() -> None:
    channels = resolved(["https://me:pw@host.example/t/s3cret/a", "b"])
    document = {
        "mirrors": {"https://host.example/a": ["https://host.example/t/s3cret/a"]},
        "logins": {"host.example": "me:pw"},
    }

    assert json.loads(access_document(channels, ALIAS)) == document
    careless = CondaSettings(ssl_verify=False)
    assert json.loads(access_document(channels, careless, "PEM")) == {
        **document,
        "authorities": "PEM",
        "verify": False,
    }
