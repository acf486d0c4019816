from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from localep.environment import index_settings
from localep.environment.index_settings import IndexSettings, collect

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[Path, str], Path]

MAIN = "https://packages.example.com/simple"
MORE = "https://more.example.com/simple"
WHEELS = "https://files.example.com/wheels"


def test_where_nothing_is_set_there_is_nothing(system: Path, home: Path) -> None:
    assert not system.exists()
    assert collect({}, home) == IndexSettings()


def test_the_files_of_the_machine_come_before_those_of_the_user_and_the_environment() -> None:
    home = Path("/home/somebody")

    assert index_settings._pip_files({}, home) == [
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        home / ".config/pip/pip.conf",
        Path(sys.prefix, "pip.conf"),
    ]
    assert index_settings._uv_files({}, home) == [
        Path("/etc/uv/uv.toml"),
        home / ".config/uv/uv.toml",
    ]


@pytest.mark.usefixtures("system")
def test_pip_s_variables_are_read(home: Path) -> None:
    environ = {
        "PIP_INDEX_URL": MAIN,
        "PIP_EXTRA_INDEX_URL": f"{MORE} https://third.example.com/simple",
        "PIP_FIND_LINKS": f"{WHEELS} /srv/wheels",
        "PIP_TRUSTED_HOST": "packages.example.com more.example.com:8443",
        "PIP_CERT": "/etc/corporate.pem",
    }

    assert collect(environ, home) == IndexSettings(
        default=MAIN,
        extra=(MORE, "https://third.example.com/simple"),
        find_links=(WHEELS, "/srv/wheels"),
        trusted_hosts=("packages.example.com", "more.example.com:8443"),
        certificate="/etc/corporate.pem",
    )


def test_pip_s_file_of_the_machine_is_read(system: Path, home: Path, write: Write) -> None:
    write(
        system / "etc/pip.conf",
        "[global]\n"
        f"index-url = {MAIN}\n"
        "extra-index-url =\n"
        f"    {MORE}\n"
        "    https://third.example.com/simple\n"
        f"find-links = {WHEELS}\n"
        "trusted-host = packages.example.com\n"
        "cert = /etc/corporate.pem\n"
        "timeout = 60\n"
        "[freeze]\n"
        "timeout = 10\n",
    )

    assert collect({}, home) == IndexSettings(
        default=MAIN,
        extra=(MORE, "https://third.example.com/simple"),
        find_links=(WHEELS,),
        trusted_hosts=("packages.example.com",),
        certificate="/etc/corporate.pem",
    )


def test_a_user_s_pip_file_overrides_the_machine_s_option_by_option(
    system: Path, home: Path, write: Write
) -> None:
    write(system / "etc/pip.conf", f"[global]\nindex-url = {WHEELS}\nextra-index-url = {MORE}\n")
    write(home / ".config/pip/pip.conf", f"[global]\nindex-url = {MAIN}\n")

    assert collect({}, home) == IndexSettings(default=MAIN, extra=(MORE,))


@pytest.mark.usefixtures("system")
def test_a_user_s_new_pip_file_overrides_the_old_one(home: Path, write: Write) -> None:
    write(home / ".pip/pip.conf", f"[global]\nindex-url = {MORE}\nfind-links = {WHEELS}\n")
    write(home / ".config/pip/pip.conf", f"[global]\nindex-url = {MAIN}\n")

    assert collect({}, home) == IndexSettings(default=MAIN, find_links=(WHEELS,))


@pytest.mark.usefixtures("system")
def test_a_user_s_files_may_lie_elsewhere(home: Path, tmp_path: Path, write: Write) -> None:
    write(tmp_path / "xdg/pip/pip.conf", f"[global]\nindex-url = {MAIN}\n")
    write(tmp_path / "xdg/uv/uv.toml", f'extra-index-url = ["{MORE}"]\n')

    settings = collect({"XDG_CONFIG_HOME": str(tmp_path / "xdg")}, home)

    assert settings == IndexSettings(default=MAIN, extra=(MORE,))


def test_the_pip_file_of_the_virtual_environment_overrides_the_user_s(
    system: Path, home: Path, write: Write
) -> None:
    write(home / ".config/pip/pip.conf", f"[global]\nindex-url = {MORE}\n")
    write(system / Path(sys.prefix, "pip.conf").relative_to("/"), f"[global]\nindex-url={MAIN}\n")

    assert collect({}, home) == IndexSettings(default=MAIN)


def test_a_pip_file_named_by_a_variable_overrides_the_others(
    system: Path, home: Path, tmp_path: Path, write: Write
) -> None:
    write(system / "etc/pip.conf", f"[global]\nindex-url = {MORE}\nfind-links = {WHEELS}\n")
    named = write(tmp_path / "other.conf", f"[global]\nindex-url = {MAIN}\n")

    assert collect({"PIP_CONFIG_FILE": str(named)}, home) == IndexSettings(
        default=MAIN, find_links=(WHEELS,)
    )


@pytest.mark.usefixtures("system")
def test_a_pip_file_named_by_a_variable_takes_the_place_of_the_user_s(
    home: Path, tmp_path: Path, write: Write
) -> None:
    # As pip has it: the user's file is not loaded where PIP_CONFIG_FILE names one that is there.
    write(home / ".config/pip/pip.conf", f"[global]\nextra-index-url = {MORE}\n")
    named = write(tmp_path / "other.conf", f"[global]\nindex-url = {MAIN}\n")

    assert collect({"PIP_CONFIG_FILE": str(named)}, home) == IndexSettings(default=MAIN)


def test_pip_s_files_can_be_switched_off(system: Path, home: Path, write: Write) -> None:
    write(system / "etc/pip.conf", f"[global]\nindex-url = {MAIN}\n")
    write(home / ".config/pip/pip.conf", f"[global]\nextra-index-url = {MORE}\n")

    environ = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": WHEELS}

    assert collect(environ, home) == IndexSettings(find_links=(WHEELS,))


@pytest.mark.usefixtures("system")
def test_pip_s_variables_override_its_files(home: Path, write: Write) -> None:
    write(home / ".config/pip/pip.conf", f"[global]\nindex-url = {MORE}\nfind-links = {WHEELS}\n")

    assert collect({"PIP_INDEX_URL": MAIN}, home) == IndexSettings(
        default=MAIN, find_links=(WHEELS,)
    )


@pytest.mark.usefixtures("system")
def test_what_pip_s_file_says_of_install_overrides_what_it_says_of_all(
    home: Path, write: Write
) -> None:
    write(
        home / ".config/pip/pip.conf",
        f"[install]\nindex-url = {MAIN}\n[global]\nindex-url = {MORE}\n[list]\nindex-url = x\n",
    )

    assert collect({}, home) == IndexSettings(default=MAIN)


@pytest.mark.usefixtures("system")
def test_pip_s_file_may_spell_options_with_underscores(home: Path, write: Write) -> None:
    write(
        home / ".config/pip/pip.conf", f"[global]\nindex_url = {MAIN}\nextra_index_url = {MORE}\n"
    )

    assert collect({}, home) == IndexSettings(default=MAIN, extra=(MORE,))


@pytest.mark.usefixtures("system")
def test_files_that_cannot_be_read_are_passed_over(home: Path, write: Write) -> None:
    write(home / ".pip/pip.conf", "index-url without a section\n")
    write(home / ".config/pip/pip.conf", f"[global]\nindex-url = {MAIN}\n")
    write(home / ".config/uv/uv.toml", "index-url = not quoted\n")
    write(home / ".netrc", "machine without a login\n")

    assert collect({}, home) == IndexSettings(default=MAIN)


@pytest.mark.usefixtures("system")
def test_uv_s_variables_are_read(home: Path) -> None:
    environ = {
        "UV_DEFAULT_INDEX": MAIN,
        "UV_INDEX_URL": "https://older.example.com/simple",
        "UV_INDEX": MORE,
        "UV_EXTRA_INDEX_URL": "https://third.example.com/simple https://fourth.example.com/simple",
        "UV_FIND_LINKS": f"{WHEELS},/opt/my wheels",
        "UV_INSECURE_HOST": "packages.example.com more.example.com",
    }

    assert collect(environ, home) == IndexSettings(
        default=MAIN,
        extra=(MORE, "https://third.example.com/simple", "https://fourth.example.com/simple"),
        find_links=(WHEELS, "/opt/my wheels"),
        trusted_hosts=("packages.example.com", "more.example.com"),
    )


@pytest.mark.usefixtures("system")
def test_uv_s_older_variable_names_the_default_index_too(home: Path) -> None:
    assert collect({"UV_INDEX_URL": MAIN}, home) == IndexSettings(default=MAIN)


def test_uv_s_indexes_are_read_from_its_file(system: Path, home: Path, write: Write) -> None:
    write(
        system / "etc/uv/uv.toml",
        f"""
        find-links = ["{WHEELS}"]
        allow-insecure-host = ["packages.example.com"]

        [[index]]
        name = "more"
        url = "{MORE}"

        [[index]]
        url = "https://third.example.com/simple"

        [[index]]
        name = "main"
        url = "{MAIN}"
        default = true
        """,
    )

    assert collect({}, home) == IndexSettings(
        default=MAIN,
        extra=(MORE, "https://third.example.com/simple"),
        find_links=(WHEELS,),
        trusted_hosts=("packages.example.com",),
    )


@pytest.mark.usefixtures("system")
def test_uv_s_older_options_are_read_from_its_file(home: Path, write: Write) -> None:
    write(home / ".config/uv/uv.toml", f'index-url = "{MAIN}"\nextra-index-url = ["{MORE}"]\n')

    assert collect({}, home) == IndexSettings(default=MAIN, extra=(MORE,))


@pytest.mark.usefixtures("system")
def test_what_uv_s_file_says_of_pip_overrides_what_it_says_of_all(home: Path, write: Write) -> None:
    write(
        home / ".config/uv/uv.toml",
        f'index-url = "{MORE}"\nfind-links = ["{WHEELS}"]\n[pip]\nindex-url = "{MAIN}"\n',
    )

    assert collect({}, home) == IndexSettings(default=MAIN, find_links=(WHEELS,))


@pytest.mark.usefixtures("system")
def test_an_index_for_pinned_packages_alone_is_left_out(home: Path, write: Write) -> None:
    write(
        home / ".config/uv/uv.toml",
        f'[[index]]\nname = "pinned"\nurl = "{MORE}"\nexplicit = true\n',
    )

    assert collect({}, home) == IndexSettings()


def test_a_user_s_uv_file_overrides_the_machine_s_option_by_option(
    system: Path, home: Path, write: Write
) -> None:
    write(system / "etc/uv/uv.toml", f'index-url = "{MORE}"\nfind-links = ["{WHEELS}"]\n')
    write(home / ".config/uv/uv.toml", f'index-url = "{MAIN}"\n')

    assert collect({}, home) == IndexSettings(default=MAIN, find_links=(WHEELS,))


def test_a_uv_file_named_by_a_variable_is_the_only_one(
    system: Path, home: Path, tmp_path: Path, write: Write
) -> None:
    write(system / "etc/uv/uv.toml", f'find-links = ["{WHEELS}"]\n')
    write(home / ".config/uv/uv.toml", f'extra-index-url = ["{MORE}"]\n')
    named = write(tmp_path / "other.toml", f'index-url = "{MAIN}"\n')

    assert collect({"UV_CONFIG_FILE": str(named)}, home) == IndexSettings(default=MAIN)


@pytest.mark.usefixtures("system")
def test_uv_s_variables_override_its_files(home: Path, write: Write) -> None:
    write(
        home / ".config/uv/uv.toml",
        f'[[index]]\nurl = "{MORE}"\n[[index]]\nurl = "https://x.example.com"\ndefault = true\n',
    )

    assert collect({"UV_DEFAULT_INDEX": MAIN}, home) == IndexSettings(default=MAIN, extra=(MORE,))


@pytest.mark.usefixtures("system")
def test_uv_s_default_index_wins_over_pip_s(home: Path, write: Write) -> None:
    write(home / ".config/uv/uv.toml", f'index-url = "{MAIN}"\n')

    assert collect({"PIP_INDEX_URL": MORE}, home) == IndexSettings(default=MAIN)


@pytest.mark.usefixtures("system")
def test_what_uv_and_pip_name_beside_it_is_put_together_with_uv_s_first(home: Path) -> None:
    environ = {
        "PIP_EXTRA_INDEX_URL": f"https://third.example.com/simple {MORE}",
        "UV_INDEX": MORE,
        "UV_EXTRA_INDEX_URL": MAIN,
        "PIP_FIND_LINKS": "/srv/wheels",
        "UV_FIND_LINKS": WHEELS,
        "PIP_TRUSTED_HOST": "one.example.com two.example.com",
        "UV_INSECURE_HOST": "two.example.com",
    }

    assert collect(environ, home) == IndexSettings(
        extra=(MORE, MAIN, "https://third.example.com/simple"),
        find_links=(WHEELS, "/srv/wheels"),
        trusted_hosts=("two.example.com", "one.example.com"),
    )


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize(
    ("name", "variables", "login"),
    [
        ("corp", {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "s"}, "me:s@"),
        ("my-corp", {"UV_INDEX_MY_CORP_USERNAME": "me"}, "me:@"),
        ("corp", {"UV_INDEX_CORP_PASSWORD": "token"}, ":token@"),
        (
            "corp",
            {"UV_INDEX_CORP_USERNAME": "me@example.com", "UV_INDEX_CORP_PASSWORD": "p/ w#%"},
            "me%40example.com:p%2F%20w%23%25@",
        ),
        ("corp.eu", {"UV_INDEX_CORP_EU_USERNAME": "me"}, "me:@"),
        ("corp", {"UV_INDEX_OTHER_USERNAME": "me"}, ""),
    ],
)
def test_a_named_index_takes_its_login_from_uv_s_variables(
    home: Path, write: Write, name: str, variables: dict[str, str], login: str
) -> None:
    address = f"https://{login}packages.example.com/simple"
    expected = IndexSettings(extra=(address,))

    assert collect({"UV_INDEX": f"{name}={MAIN}", **variables}, home) == expected
    assert collect({"UV_DEFAULT_INDEX": f"{name}={MAIN}", **variables}, home) == IndexSettings(
        default=address
    )
    write(home / ".config/uv/uv.toml", f'[[index]]\nname = "{name}"\nurl = "{MAIN}"\n')
    assert collect(variables, home) == expected


@pytest.mark.usefixtures("system")
def test_an_address_without_a_name_may_hold_an_equals_sign(home: Path) -> None:
    environ = {"UV_INDEX": f"{MAIN}?view=all"}

    assert collect(environ, home) == IndexSettings(extra=(f"{MAIN}?view=all",))


@pytest.mark.usefixtures("system")
def test_a_login_in_the_address_is_kept(home: Path, write: Write) -> None:
    write(home / ".netrc", "machine packages.example.com login other password other\n")
    address = "https://me:s@packages.example.com/simple"
    environ = {"UV_INDEX": f"corp={address}", "UV_INDEX_CORP_USERNAME": "other"}

    assert collect(environ, home) == IndexSettings(extra=(address,))


@pytest.mark.usefixtures("system")
def test_logins_of_the_netrc_file_are_put_into_their_hosts_addresses(
    home: Path, write: Write
) -> None:
    write(home / ".netrc", "machine packages.example.com\nlogin me\npassword p@ss\n")
    environ = {
        "PIP_INDEX_URL": MAIN,
        "PIP_EXTRA_INDEX_URL": f"{MORE} https://packages.example.com:8443/b",
        "UV_FIND_LINKS": "https://packages.example.com/wheels,/srv/wheels",
    }

    assert collect(environ, home) == IndexSettings(
        default="https://me:p%40ss@packages.example.com/simple",
        extra=(MORE, "https://me:p%40ss@packages.example.com:8443/b"),
        find_links=("https://me:p%40ss@packages.example.com/wheels", "/srv/wheels"),
    )


@pytest.mark.usefixtures("system")
def test_the_netrc_file_may_lie_elsewhere(home: Path, tmp_path: Path, write: Write) -> None:
    netrc = write(tmp_path / "logins", "machine packages.example.com login me password s\n")

    assert collect({"NETRC": str(netrc), "UV_INDEX_URL": MAIN}, home) == IndexSettings(
        default="https://me:s@packages.example.com/simple"
    )


def test_option_lines_are_added_to_the_settings() -> None:
    settings = IndexSettings(
        default=MORE,
        extra=("https://one.example.com",),
        find_links=(WHEELS,),
        trusted_hosts=("x.example.com",),
        certificate="/etc/corporate.pem",
    )

    changed = settings.with_options(
        [
            "-i https://me:s@first.example.com/simple",
            "--index-url   https://me:s@last.example.com/simple",
            "--extra-index-url=https://me:s@two.example.com/simple",
            "--extra-index-url https://me:s@three.example.com/simple",
            "-f https://me:s@four.example.com/wheels",
            "--find-links https://me:s@five.example.com/wheels",
        ]
    )

    assert changed == IndexSettings(
        default="https://me:s@last.example.com/simple",
        extra=(
            "https://one.example.com",
            "https://me:s@two.example.com/simple",
            "https://me:s@three.example.com/simple",
        ),
        find_links=(
            WHEELS,
            "https://me:s@four.example.com/wheels",
            "https://me:s@five.example.com/wheels",
        ),
        trusted_hosts=("x.example.com",),
        certificate="/etc/corporate.pem",
    )


def test_no_option_lines_change_nothing() -> None:
    assert IndexSettings(default=MAIN).with_options([]) == IndexSettings(default=MAIN)


@pytest.mark.parametrize("separator", [" ", "="])
def test_the_address_of_an_option_line_may_hold_an_equals_sign(separator: str) -> None:
    address = "https://me:cGFzcw==@packages.example.com/simple?view=all"

    changed = IndexSettings().with_options([f"--index-url{separator}{address}"])

    assert changed == IndexSettings(default=address)
