"""Environments of this machine: what is in them, and how uv is told of this machine's settings."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from localep.environment import local
from localep.environment.conda_file import CondaFile
from localep.environment.local import (
    LocalEnvironment,
    ensure_local_environment,
    environments_folder,
    plan_local_environment,
)
from localep.errors import EnvironmentFailure

PYTHONS = ("3.11", "3.12", "3.9")
SERVER = "azureml-inference-server-http"


@pytest.mark.parametrize(
    ("constraint", "wanted", "chosen"),
    [
        ("", None, "3.11"),
        ("=3.12", None, "3.12"),
        (">=3.9,<3.11", None, "3.9"),
        ("", "3.12", "3.12"),
    ],
)
def test_the_first_python_that_the_conda_file_admits_is_chosen(
    constraint: str, wanted: str | None, chosen: str
) -> None:
    conda = CondaFile(constraint, (), (SERVER,))

    plan = plan_local_environment(conda, PYTHONS, wanted)

    assert plan == LocalEnvironment(chosen, (SERVER,))


def test_a_python_of_the_users_choice_is_warned_of() -> None:
    plan = plan_local_environment(CondaFile("=3.12", (), (SERVER,)), PYTHONS, "3.9")

    assert plan.python == "3.9"
    assert plan.warnings == ("The conda file asks for python=3.12; Python 3.9 is used instead.",)


def test_the_server_is_added_where_the_conda_file_lacks_it() -> None:
    plan = plan_local_environment(CondaFile("", (), ("numpy",)), PYTHONS, None)

    assert (plan.requirements, plan.warnings) == (("numpy", SERVER), ())


def test_without_a_conda_file_there_is_the_server_alone() -> None:
    assert plan_local_environment(None, PYTHONS, None) == LocalEnvironment("3.11", (SERVER,))


def test_a_python_that_the_server_does_not_run_on_is_refused() -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        plan_local_environment(CondaFile("=3.7", (), ()), PYTHONS, None)

    assert caught.value.message == "The conda file asks for python=3.7."
    assert caught.value.cause == "The inference server runs on Python 3.9, 3.11, 3.12."


def test_conda_packages_come_from_pypi_with_the_warning_of_images() -> None:
    plan = plan_local_environment(CondaFile("", ("numpy=1.26", "cudatoolkit"), ()), PYTHONS, None)

    assert plan.requirements == ("numpy==1.26.*", "azureml-inference-server-http")
    assert plan.warnings == (
        "Taken from PyPI in the place of conda's channels: numpy==1.26.*. "
        "Left out, as wheels and Python bring what they need of it: cudatoolkit.",
    )


def test_conda_packages_without_a_twin_are_refused_by_name() -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        plan_local_environment(CondaFile("", ("numpy", "nvidia-apex=0.1"), ()), PYTHONS, None)

    assert caught.value.message == "The conda file asks for packages that PyPI has no twin of."
    assert caught.value.cause == "They are nvidia-apex=0.1."
    assert caught.value.remedy == (
        "Serve it with a Python that has them, without --isolated, or run it in Docker: "
        "localep create."
    )


def test_the_name_tells_what_is_in_it() -> None:
    plan = LocalEnvironment("3.11", ("numpy",))

    assert plan.name == LocalEnvironment("3.11", ("numpy",), warnings=("a",)).name
    assert len({plan.name, *(other.name for other in OTHERS)}) == 3


OTHERS = (LocalEnvironment("3.12", ("numpy",)), LocalEnvironment("3.11", ("numpy==1",)))


def test_environments_are_kept_in_the_users_cache() -> None:
    assert environments_folder({"XDG_CACHE_HOME": "/cache"}) == Path("/cache/localep/environments")
    assert environments_folder({}) == Path("~/.cache").expanduser() / "localep" / "environments"


class TestWithAUvThatWritesDownItsCalls:
    @pytest.fixture
    def uv(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder for the arguments and variables of each call; a file `fails` makes it fail."""
        folder = tmp_path / "uv"
        folder.mkdir()
        program = folder / "uv"
        program.write_text(
            "#!/usr/bin/env python3\n"
            "import json, os, pathlib, sys\n"
            f"folder = pathlib.Path({str(folder)!r})\n"
            "number = len(list(folder.glob('call-*')))\n"
            "call = {'arguments': sys.argv[1:], 'variables': dict(os.environ)}\n"
            "if '--requirements' in sys.argv:\n"
            "    call['requirements'] = pathlib.Path(sys.argv[-1]).read_text()\n"
            "(folder / f'call-{number}').write_text(json.dumps(call))\n"
            "print('at work')\n"
            "fails = folder / 'fails'\n"
            "pathlib.Path(sys.argv[-1]).mkdir(exist_ok=True) if sys.argv[1] == 'venv' else None\n"
            "sys.exit(1 if fails.exists() and fails.read_text() == sys.argv[1] else 0)\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(local, "find_uv", lambda: str(program))
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        return folder

    def make(self, plan: LocalEnvironment, folder: Path, **variables: str) -> Path:
        self.told: list[str] = []
        environ = {"PATH": os.environ["PATH"], **variables}
        return ensure_local_environment(plan, folder, environ, self.told.append, self.told.append)

    def test_a_locked_list_is_installed_as_it_is(self, uv: Path, tmp_path: Path) -> None:
        line = "six @ https://files.example/six.whl --hash=sha256:ab"

        self.make(LocalEnvironment("3.11", (line,), is_locked=True), tmp_path / "made")

        call = json.loads((uv / "call-1").read_text())
        assert "--no-deps" in call["arguments"]
        assert call["requirements"] == f"{line}\n"

    def test_it_is_made_once(self, uv: Path, tmp_path: Path) -> None:
        plan = LocalEnvironment("3.11", ("numpy", SERVER))

        made = self.make(plan, tmp_path / "made")

        assert made == tmp_path / "made" / plan.name
        assert self.told == ["Making the environment (Python 3.11, once)", "at work", "at work"]
        calls = [json.loads((uv / f"call-{number}").read_text()) for number in range(2)]
        assert calls[0]["arguments"] == ["venv", "--quiet", "--python", "3.11", str(made)]
        assert calls[1]["arguments"][:5] == [
            *("pip", "install", "--compile-bytecode", "--python"),
            str(made),
        ]
        assert calls[1]["requirements"] == f"numpy\n{SERVER}\n"

        assert self.make(plan, tmp_path / "made") == made
        assert self.told == []
        assert not (uv / "call-2").exists()

    def test_the_users_indexes_and_authorities_are_used_and_no_environment_of_the_shell(
        self, uv: Path, tmp_path: Path
    ) -> None:
        authorities = tmp_path / "authorities.pem"
        authorities.touch()
        plan = LocalEnvironment(
            "3.11", ("numpy",), private_options=("--extra-index-url https://me:key@private/simple",)
        )

        self.make(
            plan,
            tmp_path / "made",
            REQUESTS_CA_BUNDLE=str(authorities),
            PIP_INDEX_URL="https://first/simple",
            PIP_FIND_LINKS="/wheels",
            PIP_TRUSTED_HOST="first",
            PIP_CONFIG_FILE=os.devnull,
            VIRTUAL_ENV="/elsewhere",
        )

        call = json.loads((uv / "call-1").read_text())
        assert {
            name: text for name, text in call["variables"].items() if name.startswith("UV_")
        } == {
            "UV_DEFAULT_INDEX": "https://first/simple",
            "UV_FIND_LINKS": "/wheels",
            "UV_INDEX": "https://me:key@private/simple",
            "UV_INDEX_STRATEGY": "unsafe-best-match",
            "UV_INSECURE_HOST": "first",
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
        }
        assert call["variables"]["SSL_CERT_FILE"] == str(authorities)
        assert "VIRTUAL_ENV" not in call["variables"]
        assert "key" not in " ".join(call["arguments"])

    @pytest.mark.parametrize(
        ("step", "message"),
        [
            ("venv", "Python 3.11 is not to be had."),
            ("pip", "The environment could not be made."),
        ],
    )
    def test_nothing_half_made_is_left(
        self, uv: Path, tmp_path: Path, step: str, message: str
    ) -> None:
        (uv / "fails").write_text(step)

        with pytest.raises(EnvironmentFailure) as caught:
            self.make(LocalEnvironment("3.11", ()), tmp_path / "made")

        assert (caught.value.message, caught.value.details) == (message, ("at work",))
        assert [path.suffix for path in (tmp_path / "made").iterdir()] == [".lock"]

    def test_what_a_killed_command_left_is_made_anew(self, uv: Path, tmp_path: Path) -> None:
        plan = LocalEnvironment("3.11", ())
        rest = tmp_path / "made" / plan.name / "rest"
        rest.mkdir(parents=True)

        self.make(plan, tmp_path / "made")

        assert not rest.exists()
        assert (uv / "call-1").exists()

    def test_a_folder_that_cannot_be_made_is_told(self, uv: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(EnvironmentFailure) as caught:
            self.make(LocalEnvironment("3.11", ()), tmp_path / "file" / "made")

        assert caught.value.cause == "Not a directory."
        assert list(uv.glob("call-*")) == []
