from __future__ import annotations

from pathlib import Path

import pytest

from localep.conda.settings import CondaSettings, expanded, read_settings, settings_files
from localep.errors import EnvironmentFailure


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, on a machine without settings of its own."""
    monkeypatch.setattr("localep.conda.settings._SYSTEM_FOLDERS", (tmp_path / "etc",))
    return tmp_path / "home"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_files_conda_s_own_settings_hold(home: Path) -> None:
    assert read_settings({}, home) == CondaSettings()


def test_files_are_read_in_the_order_of_conda(home: Path) -> None:
    wanted = [
        write(home.parent / "etc" / "condarc", ""),
        write(home.parent / "etc" / ".condarc", ""),
        write(home.parent / "etc" / "condarc.d" / "a.yml", ""),
        write(home.parent / "root" / ".condarc", ""),
        write(home / ".config" / "conda" / ".condarc", ""),
        write(home / ".conda" / ".condarc", ""),
        write(home / ".condarc", ""),
        write(home.parent / "prefix" / ".condarc", ""),
        write(home / "named.yml", ""),
    ]
    environ = {
        "CONDARC": "~/named.yml",
        "CONDA_PREFIX": str(home.parent / "prefix"),
        "CONDA_ROOT": str(home.parent / "root"),
    }

    assert settings_files(environ, home) == wanted


def test_the_stronger_file_is_taken_and_lists_come_together(home: Path) -> None:
    write(
        home.parent / "etc" / ".condarc",
        "channel_alias: https://weak.example\n"
        "channels: [conda-forge, company]\n"
        "custom_channels: {company: https://old.example, other: https://other.example/}\n",
    )
    write(
        home / ".condarc",
        "channel_alias: https://${HOST}/conda\n"
        "channels: [own, company]\n"
        "default_channels: [https://mirror.example/main]\n"
        "custom_channels: {company: https://new.example/t/$TOKEN}\n"
        "custom_multichannels: {all: [own, other]}\n"
        "mirrored_channels: {conda-forge: [https://one.example, https://two.example]}\n"
        "proxy_servers: {https: http://proxy.example:8080}\n"
        "ssl_verify: ~/authority.pem\n",
    )

    settings = read_settings({"HOST": "strong.example", "TOKEN": "s3cret"}, home)

    assert settings.channels == ("own", "company", "conda-forge")
    assert settings.channel_alias == "https://strong.example/conda"
    assert settings.custom_channels["company"] == "https://new.example/t/s3cret"
    assert settings.custom_channels["other"] == "https://other.example/"
    assert settings.multichannels == {
        "defaults": ("https://mirror.example/main",),
        "all": ("own", "other"),
    }
    assert settings.mirrors == {"conda-forge": ("https://one.example", "https://two.example")}
    assert settings.proxies == {"https": "http://proxy.example:8080"}
    assert settings.ssl_verify == str(home / "authority.pem")


def test_variables_are_stronger_than_files(home: Path) -> None:
    write(home / ".condarc", "channel_alias: https://file.example\nssl_verify: /ca.pem\n")
    environ = {
        "CONDA_CHANNEL_ALIAS": "https://variable.example",
        "CONDA_CHANNELS": "one, two",
        "CONDA_SSL_VERIFY": "False",
    }

    settings = read_settings(environ, home)

    assert settings.channel_alias == "https://variable.example"
    assert settings.channels == ("one", "two")
    assert settings.ssl_verify is False


@pytest.mark.parametrize(
    ("text", "verified"),
    [
        ("false", False),
        ("no", False),
        ("true", True),
        ("truststore", True),
        ("/etc/ca.pem", "/etc/ca.pem"),
        ("", True),
    ],
)
def test_certificates_are_verified_as_the_file_says(
    home: Path, text: str, verified: bool | str
) -> None:
    write(home / ".condarc", f"ssl_verify: {text}\n")

    assert read_settings({}, home).ssl_verify == verified


@pytest.mark.parametrize("text", ["- conda-forge", "channels: [", "a: \x00"])
def test_a_file_that_is_no_mapping_is_named(home: Path, text: str) -> None:
    path = write(home / ".condarc", text)

    with pytest.raises(EnvironmentFailure) as caught:
        read_settings({}, home)

    assert caught.value.message == f"conda's settings in {path} cannot be read."
    assert caught.value.cause
    assert caught.value.remedy == (
        "Correct the file; it is YAML with keys such as `channels` and `channel_alias`."
    )


def test_variables_are_filled_in_wherever_they_are_set() -> None:
    value = {"a": ["$USER", "${USER}!"], "b": "$NOBODY", "c": 1}

    assert expanded(value, {"USER": "me"}) == {"a": ["me", "me!"], "b": "$NOBODY", "c": 1}
