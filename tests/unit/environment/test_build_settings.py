from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from localep.environment.build_settings import (
    BuildSettings,
    collect_build_settings,
    user_build_settings,
)
from localep.resources import read_resource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[Path, str], Path]

MAIN = "https://packages.example.com/simple"
MORE = "https://more.example.com/simple"
WHEELS = "https://files.example.com/wheels"
AWKWARD = """https://me:it's "$HOME" `id` \\ &;#!@example.com/a  b"""
# The strongest first; the system's own bundle comes after all of these.
CA_SOURCES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT", "CURL_CA_BUNDLE", "pip.conf")


def environment_after(script: Path) -> dict[str, str]:
    result = subprocess.run(
        ["sh", "-euc", '. "$0"; env', str(script)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.defpath, "HOME": "/nowhere"},
    )
    assert result.stderr == ""
    return dict(line.split("=", 1) for line in result.stdout.splitlines())


@pytest.mark.usefixtures("system")
def test_where_nothing_is_set_a_build_needs_nothing(home: Path) -> None:
    settings = collect_build_settings({}, home)

    assert settings == BuildSettings()
    assert settings.script == ""


@pytest.mark.usefixtures("system")
def test_indexes_are_told_to_pip_and_uv_alike(home: Path) -> None:
    environ = {
        "PIP_INDEX_URL": MAIN,
        "PIP_EXTRA_INDEX_URL": f"{MORE} https://third.example.com/simple",
        "PIP_FIND_LINKS": f"{WHEELS} https://more.example.com/wheels",
        "PIP_TRUSTED_HOST": "packages.example.com more.example.com",
    }

    assert collect_build_settings(environ, home) == BuildSettings(
        variables=(
            ("PIP_INDEX_URL", MAIN),
            ("UV_DEFAULT_INDEX", MAIN),
            ("PIP_EXTRA_INDEX_URL", f"{MORE} https://third.example.com/simple"),
            ("UV_INDEX", f"{MORE} https://third.example.com/simple"),
            ("PIP_FIND_LINKS", f"{WHEELS} https://more.example.com/wheels"),
            ("UV_FIND_LINKS", f"{WHEELS},https://more.example.com/wheels"),
            ("PIP_TRUSTED_HOST", "packages.example.com more.example.com"),
            ("UV_INSECURE_HOST", "packages.example.com more.example.com"),
        )
    )


@pytest.mark.usefixtures("system")
def test_uv_s_default_index_wins_over_pip_s(home: Path) -> None:
    environ = {"PIP_INDEX_URL": MORE, "UV_DEFAULT_INDEX": MAIN}

    assert collect_build_settings(environ, home) == BuildSettings(
        variables=(("PIP_INDEX_URL", MAIN), ("UV_DEFAULT_INDEX", MAIN))
    )


def test_files_of_pip_and_uv_reach_a_build(system: Path, home: Path, write: Write) -> None:
    write(system / "etc/pip.conf", f"[global]\nfind-links = {WHEELS}\n")
    write(home / ".config/pip/pip.conf", f"[global]\nextra-index-url = {MORE}\n")
    write(home / ".config/uv/uv.toml", f'[[index]]\nurl = "{MAIN}"\ndefault = true\n')

    assert collect_build_settings({}, home) == BuildSettings(
        variables=(
            ("PIP_INDEX_URL", MAIN),
            ("UV_DEFAULT_INDEX", MAIN),
            ("PIP_EXTRA_INDEX_URL", MORE),
            ("UV_INDEX", MORE),
            ("PIP_FIND_LINKS", WHEELS),
            ("UV_FIND_LINKS", WHEELS),
        )
    )


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("variable", ["PIP_INDEX_URL", "UV_EXTRA_INDEX_URL", "PIP_FIND_LINKS"])
@pytest.mark.parametrize(
    "address",
    [
        "file:///srv/pypi/simple",
        "/srv/wheels",
        "wheels",
        "ftp://files.example.com/wheels",
        "http://localhost:3141/root/pypi",
        "https://LOCALHOST/simple",
        "http://127.0.0.1:8080/simple",
        "http://127.8.9.10/simple",
        "http://[::1]:8080/simple",
        "http://0.0.0.0:8080/simple",
    ],
)
def test_what_a_build_cannot_reach_is_left_out_with_a_note(
    home: Path, variable: str, address: str
) -> None:
    assert collect_build_settings({variable: address}, home) == BuildSettings(
        notes=(f"Not reachable from a build, so left out: {address}.",)
    )


@pytest.mark.usefixtures("system")
def test_what_is_left_out_is_told_in_one_note_without_credentials(home: Path) -> None:
    environ = {
        "PIP_INDEX_URL": "http://me:secret@localhost:3141/simple",
        "PIP_EXTRA_INDEX_URL": f"file:///srv/pypi {MORE}",
        "PIP_FIND_LINKS": "/srv/wheels file:///srv/pypi",
        "https_proxy": "socks5://me:secret@proxy.example.com:1080",
    }

    assert collect_build_settings(environ, home) == BuildSettings(
        variables=(("PIP_EXTRA_INDEX_URL", MORE), ("UV_INDEX", MORE)),
        notes=(
            "Not reachable from a build, so left out: http://localhost:3141/simple, "
            "file:///srv/pypi, /srv/wheels, socks5://proxy.example.com:1080.",
        ),
    )


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({"PIP_INDEX_URL": "http://me:p@ss@localhost/simple"}, "http://localhost/simple"),
        ({"http_proxy": "me:secret@proxy.example.com:3128"}, "proxy.example.com:3128"),
    ],
    ids=["an at sign in the password", "a proxy without a scheme"],
)
def test_a_note_shows_no_part_of_oddly_written_credentials(
    home: Path, environ: dict[str, str], shown: str
) -> None:
    assert collect_build_settings(environ, home).notes == (
        f"Not reachable from a build, so left out: {shown}.",
    )


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_proxies_in_either_case_are_told_in_both(
    home: Path, spelling: Callable[[str], str]
) -> None:
    environ = {
        spelling("http_proxy"): "http://proxy.example.com:3128",
        spelling("https_proxy"): "https://proxy.example.com:3129",
        spelling("no_proxy"): "localhost,127.0.0.1,.example.com",
    }

    assert collect_build_settings(environ, home) == BuildSettings(
        variables=(
            ("http_proxy", "http://proxy.example.com:3128"),
            ("HTTP_PROXY", "http://proxy.example.com:3128"),
            ("https_proxy", "https://proxy.example.com:3129"),
            ("HTTPS_PROXY", "https://proxy.example.com:3129"),
            ("no_proxy", "localhost,127.0.0.1,.example.com"),
            ("NO_PROXY", "localhost,127.0.0.1,.example.com"),
        )
    )


@pytest.mark.usefixtures("system")
def test_a_proxy_in_lower_case_wins(home: Path) -> None:
    environ = {"http_proxy": "http://lower.example.com", "HTTP_PROXY": "http://upper.example.com"}

    assert collect_build_settings(environ, home) == BuildSettings(
        variables=(
            ("http_proxy", "http://lower.example.com"),
            ("HTTP_PROXY", "http://lower.example.com"),
        )
    )


@pytest.mark.usefixtures("system")
def test_a_proxy_on_this_machine_is_left_out(home: Path) -> None:
    environ = {"HTTPS_PROXY": "http://127.0.0.1:3128", "HTTP_PROXY": ""}

    assert collect_build_settings(environ, home) == BuildSettings(
        notes=("Not reachable from a build, so left out: http://127.0.0.1:3128.",)
    )


@pytest.mark.usefixtures("system")
def test_private_options_reach_a_build_as_variables(home: Path) -> None:
    private = ["--extra-index-url https://me:secret@packages.example.com/simple"]

    assert collect_build_settings({"UV_INDEX": MORE}, home, private) == BuildSettings(
        variables=(
            ("PIP_EXTRA_INDEX_URL", f"{MORE} https://me:secret@packages.example.com/simple"),
            ("UV_INDEX", f"{MORE} https://me:secret@packages.example.com/simple"),
        ),
        has_credentials=True,
    )


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize(
    "environ",
    [
        {"PIP_INDEX_URL": "https://me:secret@packages.example.com/simple"},
        {"UV_INDEX": f"{MORE} https://token@packages.example.com/simple"},
        {"UV_INDEX": f"corp={MORE}", "UV_INDEX_CORP_PASSWORD": "secret"},
        {"PIP_FIND_LINKS": "https://me:secret@files.example.com/wheels"},
        {"HTTPS_PROXY": "http://me:secret@proxy.example.com:3128"},
    ],
)
def test_a_login_in_any_address_makes_the_settings_private(
    home: Path, environ: dict[str, str]
) -> None:
    assert collect_build_settings(environ, home).has_credentials


@pytest.mark.usefixtures("system")
def test_a_login_of_the_netrc_file_makes_the_settings_private(home: Path, write: Write) -> None:
    write(home / ".netrc", "machine packages.example.com login me password secret\n")

    assert collect_build_settings({"PIP_INDEX_URL": MAIN}, home).has_credentials
    assert not collect_build_settings({"PIP_INDEX_URL": MORE}, home).has_credentials


def test_addresses_without_a_login_and_a_ca_bundle_are_not_private(
    system: Path, home: Path, write: Write
) -> None:
    write(system / "ca.pem", "PEM")
    environ = {
        "PIP_INDEX_URL": f"{MAIN}/@scope",
        "PIP_FIND_LINKS": "http://me:secret@localhost/wheels",
        "http_proxy": "http://proxy.example.com",
    }

    assert not collect_build_settings(environ, home).has_credentials


@pytest.mark.parametrize("strongest", range(len(CA_SOURCES) + 1))
def test_the_ca_bundle_is_the_first_that_is_named(
    system: Path, home: Path, tmp_path: Path, write: Write, strongest: int
) -> None:
    environ: dict[str, str] = {}
    for source in CA_SOURCES[strongest:]:
        bundle = write(tmp_path / f"{source}.pem", f"bundle of {source}\n")
        if source == "pip.conf":
            write(home / ".config/pip/pip.conf", f"[global]\ncert = {bundle}\n")
        else:
            environ[source] = str(bundle)
    write(system / "ca.pem", "bundle of the system\n")

    expected = [*(f"bundle of {source}\n" for source in CA_SOURCES), "bundle of the system\n"]
    assert collect_build_settings(environ, home) == BuildSettings(ca_bundle=expected[strongest])


@pytest.mark.usefixtures("system")
def test_a_ca_bundle_that_is_no_file_is_passed_over(
    home: Path, tmp_path: Path, write: Write
) -> None:
    environ = {
        "REQUESTS_CA_BUNDLE": str(tmp_path),
        "SSL_CERT_FILE": str(tmp_path / "missing.pem"),
        "PIP_CERT": "",
        "CURL_CA_BUNDLE": str(write(tmp_path / "ca.pem", "PEM")),
    }

    assert collect_build_settings(environ, home) == BuildSettings(ca_bundle="PEM")


@pytest.mark.usefixtures("system")
def test_pip_s_option_may_name_a_ca_bundle_with_a_blank_in_its_path(
    home: Path, tmp_path: Path, write: Write
) -> None:
    bundle = write(tmp_path / "my certificates/ca.pem", "PEM")
    write(home / ".config/pip/pip.conf", f"[global]\ncert = {bundle}\n")

    assert collect_build_settings({}, home) == BuildSettings(ca_bundle="PEM")


@pytest.mark.usefixtures("system")
def test_pip_s_option_may_name_a_ca_bundle_in_the_user_s_home(
    home: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pip expands ~ in this option.
    monkeypatch.setenv("HOME", str(home))
    write(home / "ca.pem", "PEM")
    write(home / ".config/pip/pip.conf", "[global]\ncert = ~/ca.pem\n")

    assert collect_build_settings({}, home) == BuildSettings(ca_bundle="PEM")


def test_the_script_exports_each_variable() -> None:
    settings = BuildSettings("PEM", (("PIP_INDEX_URL", MAIN), ("UV_INDEX", f"{MAIN} {MORE}")))

    assert settings.script == (
        f"export PIP_INDEX_URL={MAIN}\n"
        f"export UV_INDEX='{MAIN} {MORE}'\n"
        "export SSL_CERT_FILE=/run/secrets/localep-ca\n"
        "export PIP_CERT=/run/secrets/localep-ca\n"
    )


def test_a_posix_shell_reads_the_values_as_they_are(tmp_path: Path, write: Write) -> None:
    settings = BuildSettings("PEM", (("UV_INDEX", AWKWARD), ("no_proxy", "*,a b"), ("X", "")))
    before = environment_after(write(tmp_path / "nothing", ""))

    after = environment_after(write(tmp_path / "settings", settings.script))

    assert after == before | {
        "UV_INDEX": AWKWARD,
        "no_proxy": "*,a b",
        "X": "",
        "SSL_CERT_FILE": "/run/secrets/localep-ca",
        "PIP_CERT": "/run/secrets/localep-ca",
    }


@pytest.mark.parametrize("has_settings", [True, False])
def test_a_build_step_runs_with_the_settings_and_as_they_are_missing(
    tmp_path: Path, write: Write, has_settings: bool
) -> None:
    settings = BuildSettings(variables=(("UV_INDEX", AWKWARD),))
    if has_settings:
        write(tmp_path / "localep-settings", settings.script)
    runner = read_resource("templates/localep-build.sh").replace("/run/secrets", str(tmp_path))
    step = ["sh", "-c", 'echo "$UV_INDEX"; exit "$1"', "a step", "7"]

    result = subprocess.run(
        ["sh", str(write(tmp_path / "localep-build", runner)), *step],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath},
    )

    expected = f"{AWKWARD}\n" if has_settings else "\n"
    assert (result.returncode, result.stdout, result.stderr) == (7, expected, "")


@pytest.mark.usefixtures("system")
def test_the_user_s_own_settings_come_from_this_process(
    home: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"HOME": str(home), "UV_INDEX": MORE})
    write(home / ".config/pip/pip.conf", f"[global]\nindex-url = {MAIN}\n")

    settings = user_build_settings([f"--find-links {WHEELS}"])

    assert settings == BuildSettings(
        variables=(
            ("PIP_INDEX_URL", MAIN),
            ("UV_DEFAULT_INDEX", MAIN),
            ("PIP_EXTRA_INDEX_URL", MORE),
            ("UV_INDEX", MORE),
            ("PIP_FIND_LINKS", WHEELS),
            ("UV_FIND_LINKS", WHEELS),
        )
    )
