"""What is baked into an exported image, from an endpoint and from files."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from localep import __version__
from localep.engine.base import Image
from localep.errors import DiskFull, EndpointConflict, EngineError, UsageError
from localep.operations.create import CreateOptions, create
from localep.operations.environments.options import EnvironmentOptions
from localep.operations.export.image import ExportedImage, export_image
from localep.operations.export.source import planned_source, running_source
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

FILES = ("endpoint.yml", "deployment.yml")
Load = Callable[..., Bundle]
CUSTOM = """\
name: blue
endpoint_name: hello
environment:
  image: own:1
  inference_config:
    liveness_route: {port: 8500, path: /alive}
    readiness_route: {port: 8501, path: /ready}
    scoring_route: {port: 8501, path: /predict}
instance_type: Standard_DS3_v2
instance_count: 1
"""
RUNIT = """\
name: blue
endpoint_name: other
code_configuration: {code: code, scoring_script: score.py}
environment: {image: 'own:1'}
instance_type: Standard_DS3_v2
instance_count: 1
"""


def packed(archive: bytes) -> dict[str, tuple[str, int, int, str]]:
    """What is in an archive by name: its mode, owner and group, and its content or target."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {
            member.name: (
                f"{member.mode:o}",
                member.uid,
                member.gid,
                member.linkname if member.issym() else _text(tar.extractfile(member)),
            )
            for member in tar
        }


def _text(content: IO[bytes] | None) -> str:
    return content.read().decode() if content is not None else "/"


@pytest.fixture
def endpoint(place: Workplace, load: Load, project: Path) -> str:
    """An endpoint with a model and a variable; the name of its environment's image."""
    with (project / "deployment.yml").open("a") as file:
        file.write("model: {name: words, version: 2, path: model}\n")
        file.write("environment_variables: {GREETING: 'say \"$HOME\" \\ twice'}\n")
    (project / "model").mkdir()
    (project / "model" / "words.txt").write_text("a b\n")
    (project / "model" / "words.txt").chmod(0o600)
    result = create(place, load(*FILES), CreateOptions())
    return result.endpoint.deployments[0].image


@pytest.fixture
def custom(place: Workplace, engine: FakeEngine, load: Load, project: Path) -> str:
    """An endpoint with a container that brings its own server; its image."""
    engine.images["own:1"] = Image(
        "sha256:own", {}, 1000, digests=("own@sha256:ab",), user="server"
    )
    engine.images["own"] = engine.images["own:1"]  # by its id
    engine.files["sha256:own"] = {"/etc/passwd": b"root:x:0:0::/:\nserver:x:70:80::/:\n"}
    (project / "deployment.yml").write_text(CUSTOM)
    create(place, load(*FILES), CreateOptions())
    return "own:1"


def from_files(place: Workplace, bundle: Bundle, tag: str) -> ExportedImage:
    with planned_source(place, bundle, EnvironmentOptions()) as source:
        return export_image(place, source, tag)


def test_an_endpoint_is_exported_as_it_runs(
    place: Workplace, engine: FakeEngine, endpoint: str, project: Path, told: list[str]
) -> None:
    (project / "code" / "score.py").write_text("edited since\n")
    told.clear()

    result = export_image(place, running_source(place, "hello"), "team/hello")

    assert result == ExportedImage(
        "team/hello:latest", "sha256:team/hello:latest", 1000, (5001,), ()
    )
    assert result.command == "docker run --rm -p 5001:5001 team/hello:latest"
    (sent,) = engine.sent
    assert sent["Dockerfile"].decode() == (
        "# Deployment blue of endpoint hello, rendered by localep.\n"
        f"FROM {endpoint}\n"
        "ADD models.tar /\n"
        "ADD code.tar /\n"
        'ENV HOME="/tmp" \\\n'
        '    PYTHONUNBUFFERED="1" \\\n'
        '    GREETING="say \\"\\$HOME\\" \\\\ twice" \\\n'
        '    AML_APP_ROOT="/var/azureml-app/code" \\\n'
        '    AZUREML_ENTRY_SCRIPT="score.py" \\\n'
        '    AZUREML_MODEL_DIR="/var/azureml-app/azureml-models/words/2"\n'
        "WORKDIR /var/azureml-app/code\n"
        "EXPOSE 5001\n"
        "USER 1000:1000\n"
        'ENTRYPOINT ["azmlinfsrv"]\n'
        'CMD ["--entry_script", "score.py"]\n'
        'LABEL org.opencontainers.image.title="hello-blue" \\\n'
        f'      org.opencontainers.image.base.name="{endpoint}" \\\n'
        f'      org.opencontainers.image.base.digest="sha256:{endpoint}" \\\n'
        f'      localep.version="{__version__}" \\\n'
        '      localep.role="export"\n'
    )
    code = packed(sent["code.tar"])
    assert code.pop("etc/passwd")[3].splitlines()[-1] == "localep:x:1000:1000:localep:/tmp:/bin/sh"
    script = "def init(): pass\ndef run(data): return data\n"
    assert code == {
        "etc": ("755", 0, 0, "/"),
        "var": ("755", 0, 0, "/"),
        "var/azureml-app": ("755", 0, 0, "/"),
        "var/azureml-app/code/score.py": ("644", 1000, 1000, script),
    }
    models = "var/azureml-app/azureml-models"
    assert packed(sent["models.tar"]) == {
        "var": ("755", 0, 0, "/"),
        "var/azureml-app": ("755", 0, 0, "/"),
        models: ("755", 0, 0, "/"),
        f"{models}/words": ("755", 0, 0, "/"),
        f"{models}/words/2": ("755", 0, 0, "/"),
        f"{models}/words/2/model/words.txt": ("644", 0, 0, "a b\n"),
    }
    assert told == ["step: Building team/hello:latest"]


def test_files_are_exported_without_an_endpoint(
    place: Workplace, engine: FakeEngine, endpoint: str, load: Load, calls: list[str]
) -> None:
    export_image(place, running_source(place, "hello"), "hello:1")
    del calls[:]

    result = from_files(place, load(*FILES), "hello:2")

    assert result.image == "hello:2"
    assert calls == []  # nothing was started
    running, planned = engine.sent
    assert planned["Dockerfile"] == running["Dockerfile"]
    folder = {"var/azureml-app/code": ("755", 1000, 1000, "/")}
    assert packed(planned["code.tar"]) == packed(running["code.tar"]) | folder
    folder = {"var/azureml-app/azureml-models/words/2/model": ("755", 0, 0, "/")}
    assert packed(planned["models.tar"]) == packed(running["models.tar"]) | folder


def test_the_same_files_make_the_same_archives(
    place: Workplace, engine: FakeEngine, endpoint: str, load: Load, project: Path
) -> None:
    from_files(place, load(*FILES), "hello:1")
    (project / "code" / "__pycache__").mkdir()
    (project / "model" / "words.txt").chmod(0o644)
    os.utime(project / "code" / "score.py", (1, 1))

    from_files(place, load(*FILES), "hello:1")

    assert engine.sent[0] == engine.sent[1]


def test_what_python_and_the_container_left_beside_the_code_is_told_apart(
    place: Workplace, engine: FakeEngine, endpoint: str
) -> None:
    (container,) = (found for found in engine.files if "hello-blue" in found)
    engine.files[container]["/var/azureml-app/code/__pycache__/score.pyc"] = b"byte code"
    engine.files[container]["/var/azureml-app/other/file"] = b"of somebody else"

    export_image(place, running_source(place, "hello"), "hello:1")

    assert [name for name in packed(engine.sent[0]["code.tar"]) if "score" in name] == [
        "var/azureml-app/code/score.py"
    ]
    assert b"somebody" not in engine.sent[0]["code.tar"]


def test_a_custom_container_keeps_the_command_of_its_image(
    place: Workplace, engine: FakeEngine, custom: str, told: list[str]
) -> None:
    told.clear()

    result = export_image(place, running_source(place, None), "words:1")

    assert result.command == "docker run --rm -p 5001:8501 words:1"
    assert engine.sent[0]["Dockerfile"].decode() == (
        "# Deployment blue of endpoint hello, rendered by localep.\n"
        "FROM own:1\n"
        "EXPOSE 8501 8500\n"
        "USER 70\n"
        'LABEL org.opencontainers.image.title="hello-blue" \\\n'
        '      org.opencontainers.image.base.name="own:1" \\\n'
        '      org.opencontainers.image.base.digest="sha256:ab" \\\n'
        f'      localep.version="{__version__}" \\\n'
        '      localep.role="export"\n'
    )
    assert list(engine.sent[0]) == ["Dockerfile"]
    assert told == ["step: Building words:1"]


@pytest.mark.parametrize(
    ("user", "line", "warned"),
    [
        ("", None, True),
        ("root", None, True),
        ("0:0", None, True),
        ("1001", None, False),
        ("server:web", "USER 70:web", False),
        ("stranger", None, False),
    ],
)
def test_the_user_of_a_custom_container_is_told_by_number(
    place: Workplace,
    engine: FakeEngine,
    custom: str,
    told: list[str],
    user: str,
    line: str | None,
    warned: bool,
) -> None:
    for name in ("own:1", "own"):
        engine.images[name] = replace(engine.images[name], user=user)
    told.clear()

    export_image(place, running_source(place, None), "words:1")

    lines = engine.sent[0]["Dockerfile"].decode().splitlines()
    assert [found for found in lines if found.startswith("USER")] == ([line] if line else [])
    warning = "warning: The image runs as root, as own:1 does; many clusters refuse that."
    assert (warning in told) is warned


def test_an_image_that_starts_the_server_itself_gets_code_and_variables(
    place: Workplace, engine: FakeEngine, custom: str, load: Load, project: Path
) -> None:
    engine.paths["sha256:own"] = ["/var/runit"]
    (project / "deployment.yml").write_text(RUNIT)
    create(place, load("endpoint.yml", "deployment.yml", "endpoint.name=other"), CreateOptions())

    export_image(place, running_source(place, "other"), "other:1")

    assert engine.sent[0]["Dockerfile"].decode().splitlines()[1:7] == [
        "FROM own:1",
        "ADD code.tar /",
        'ENV AML_APP_ROOT="/var/azureml-app/code" \\',
        '    AZUREML_ENTRY_SCRIPT="score.py"',
        "EXPOSE 5001",
        "USER 70",
    ]
    assert list(packed(engine.sent[0]["code.tar"])) == ["var/azureml-app/code/score.py"]


def test_a_model_without_code_is_exported_with_localeps_own_script(
    place: Workplace, engine: FakeEngine, load: Load, project: Path
) -> None:
    model = project / "model"
    model.mkdir()
    (model / "MLmodel").write_text(
        "flavors:\n  python_function: {loader_module: m, env: {conda: conda.yaml}}\n"
    )
    (model / "conda.yaml").write_text("dependencies: [python=3.11, {pip: [mlflow]}]\n")
    (project / "deployment.yml").write_text(
        "name: blue\nendpoint_name: hello\nmodel: {path: model, type: mlflow_model}\n"
        "instance_type: Standard_DS3_v2\ninstance_count: 1\n"
    )
    create(place, load(*FILES), CreateOptions())
    (model / "conda.yaml").unlink()  # what the environment was made from is needed no more

    export_image(place, running_source(place, "hello"), "hello:1")

    folder = "var/azureml-app/mlflow_model_score"
    assert f"{folder}/score.py" in packed(engine.sent[0]["code.tar"])
    assert f"WORKDIR /{folder}" in engine.sent[0]["Dockerfile"].decode()


def test_secrets_stay_out_of_the_image(
    place: Workplace, engine: FakeEngine, load: Load, project: Path, told: list[str]
) -> None:
    with (project / "deployment.yml").open("a") as file:
        file.write(
            "environment_variables:\n"
            "  PLAIN: here\n"
            "  API_KEY: hush-1\n"
            "  DB_PASSWORD: hush-2\n"
            "  FROM_VAULT: ${{keyvault:https://v.example/secrets/a/1}}\n"
            '  POEM: "roses\\nviolets"\n'
        )
    create(place, load(*FILES), CreateOptions())
    told.clear()

    source = running_source(place, "hello")
    result = export_image(place, source, "hello:1", keep=["DB_PASSWORD"])

    assert result.withheld == ("API_KEY", "POEM")
    assert result.command == "docker run --rm -p 5001:5001 -e API_KEY -e POEM hello:1"
    assert told == [
        "warning: Variable API_KEY looks like a secret, so it is not in the image; give it to the "
        "container.",
        "warning: Variable FROM_VAULT refers to a secret that only the cloud fills in; the "
        "reference itself is in the image.",
        "warning: Variable POEM has a line break or another character that no Dockerfile can "
        "hold, so it is not in the image; give it to the container.",
        "step: Building hello:1",
    ]
    sent = b"".join(engine.sent[0].values())
    assert [word for word in (b"hush-1", b"violets") if word in sent] == []
    assert b'DB_PASSWORD="hush-2"' in sent
    assert b'FROM_VAULT="\\${{keyvault:https://v.example/secrets/a/1}}"' in sent


def test_an_endpoint_outlives_the_files_that_it_was_made_from(
    place: Workplace, engine: FakeEngine, endpoint: str, project: Path
) -> None:
    (project / "code").rename(project / "elsewhere")

    export_image(place, running_source(place, "hello"), "hello:1")

    assert "var/azureml-app/code/score.py" in packed(engine.sent[0]["code.tar"])


def test_a_file_that_the_container_lost_is_told(
    place: Workplace, engine: FakeEngine, endpoint: str
) -> None:
    (container,) = (found for found in engine.files if "hello-blue" in found)
    engine.files[container].clear()

    with pytest.raises(EngineError) as raised:
        export_image(place, running_source(place, "hello"), "hello:1")

    assert raised.value.message == "/var/azureml-app/code is not in the deployment's container."
    assert engine.sent == []


def test_an_image_that_changed_under_its_name_is_not_exported(
    place: Workplace, engine: FakeEngine, custom: str
) -> None:
    engine.images["own:1"] = Image("sha256:newer", {}, 1000)

    with pytest.raises(EndpointConflict) as raised:
        running_source(place, "hello")

    assert (raised.value.message, raised.value.cause, raised.value.remedy) == (
        "Deployment blue cannot be exported as it runs.",
        "own:1 is no longer the image that it runs in.",
        "Have it run in the image of today first: localep update -n hello",
    )


def test_an_endpoint_without_a_deployment_has_nothing_to_export(
    place: Workplace, load: Load
) -> None:
    create(place, load("endpoint.yml"), CreateOptions())

    with pytest.raises(EndpointConflict, match=r"^Endpoint hello has no deployment to export\.$"):
        running_source(place, "hello")


def test_a_deployment_whose_container_is_gone_has_nothing_to_export(
    place: Workplace, engine: FakeEngine, endpoint: str
) -> None:
    (container,) = (found for found in engine.containers if "hello-blue" in found)
    del engine.containers[container]

    with pytest.raises(EndpointConflict) as raised:
        running_source(place, "hello")

    assert (raised.value.message, raised.value.cause) == (
        "Deployment blue cannot be exported.",
        "Its container is gone.",
    )


def test_an_endpoint_that_is_not_there_cannot_be_exported(place: Workplace) -> None:
    with pytest.raises(EndpointConflict, match=r"^There is no endpoint hello\.$"):
        running_source(place, "hello")


def test_files_without_a_deployment_have_nothing_to_export(place: Workplace, load: Load) -> None:
    with pytest.raises(UsageError, match=r"^The files hold no deployment\.$"):
        from_files(place, load("endpoint.yml"), "hello:1")


def test_a_refused_name_is_told_before_anything_is_built(
    place: Workplace, engine: FakeEngine, endpoint: str
) -> None:
    engine.builds.clear()

    with pytest.raises(UsageError, match=r"^No image can be named 'Hello'\.$"):
        export_image(place, running_source(place, "hello"), "Hello")

    assert engine.builds == []


def test_a_full_disk_is_told(
    place: Workplace, engine: FakeEngine, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("localep.operations.export.image.tarfile.open", refuse)

    with pytest.raises(DiskFull, match=r"^There is no place for a copy of the deployment\.$"):
        export_image(place, running_source(place, "hello"), "hello:1")

    assert engine.sent == []
