"""References in documents of every generation, filled in from the local registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.errors import AssetConflict, LocalepError, SpecError, UsageError
from localep.operations.registered_assets import fill_in
from localep.operations.registry import (
    Kind,
    delete,
    found_versions,
    list_assets,
    register_environment,
    register_model,
    show,
    to_dict,
)
from localep.spec.loader import Reading, Selection, read_files
from localep.spec.model import BuildSpec, DeploymentSpec, EnvironmentSpec, ModelSpec

TODAY = """\
name: blue
endpoint_name: trees
model: azureml:forest:1
environment: azureml:sklearn@latest
instance_type: Standard_DS3_v2
instance_count: 1
"""
MAY = """\
name: trees
type: online
deployments:
  - name: blue
    model: azureml:forest:1
    environment: azureml:sklearn
    instance_type: Standard_DS3_v2
"""
APRIL = """\
name: trees
infrastructure: managed
deployments:
  blue:
    model: azureml:forest:1
    environment: azureml:sklearn:1
    sku: Standard_DS3_v2
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a model, an environment, and a registry of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "forest.pkl").touch()
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11]\n")
    (tmp_path / "env.yml").write_text("image: localep/base:latest\nconda_file: conda.yml\n")
    return tmp_path


def reading_of(text: str) -> Reading:
    Path("deployment.yml").write_text(text)
    return read_files([Path("deployment.yml")])


def filled(text: str) -> tuple[DeploymentSpec, list[str]]:
    """The deployment with its references filled in, and the codes of what is left to find."""
    reading = fill_in(reading_of(text))
    (deployment,) = reading.deployments
    return deployment, [finding.code for finding in reading.findings.items]


def register_both(folder: Path) -> tuple[ModelSpec, EnvironmentSpec]:
    register_model("forest", None, Path("forest.pkl"), "mlflow_model")
    register_environment(Path("env.yml"), "sklearn", None)
    return (
        ModelSpec(folder / "forest.pkl", None, "forest", "1", "mlflow_model"),
        EnvironmentSpec(image="localep/base:latest", conda_file=folder / "conda.yml"),
    )


def told(error: LocalepError) -> tuple[str, str | None, str | None]:
    return error.message, error.cause, error.remedy


@pytest.mark.parametrize("text", [TODAY, MAY, APRIL])
def test_registered_assets_take_the_place_of_their_references(folder: Path, text: str) -> None:
    model, environment = register_both(folder)
    before = {finding.code for finding in reading_of(text).findings.items}

    deployment, codes = filled(text)

    assert (deployment.model, deployment.environment) == (model, environment)
    assert set(codes) == before - {"cloud-reference"}


def test_what_is_not_registered_shows_the_command_that_registers_it(folder: Path) -> None:
    reading = fill_in(reading_of(TODAY))

    assert [str(finding) for finding in reading.findings.items] == [
        f"{folder}/deployment.yml:3:8: model: azureml:forest:1 is not in the local registry. "
        "Register it: `localep model register -n forest -v 1 --path PATH`.",
        f"{folder}/deployment.yml:4:14: environment: azureml:sklearn@latest is not in the local "
        "registry. Register it: `localep environment register -n sklearn -f env.yml`.",
    ]
    assert reading.deployments[0].model == ModelSpec(reference="azureml:forest:1")


def test_one_of_several_deployments_does_not_hide_the_findings_of_another(folder: Path) -> None:
    register_both(folder)
    text = MAY + MAY.partition("deployments:\n")[2].replace("forest:1", "forest:2").replace(
        "blue", "green"
    )

    reading = fill_in(reading_of(text))

    assert [
        finding.place.path
        for finding in reading.findings.items
        if finding.code == "cloud-reference" and finding.place is not None
    ] == ["deployments.1.model"]


def test_a_document_without_references_is_left_as_it_is() -> None:
    reading = reading_of("name: blue\nendpoint_name: trees\ninstance_type: Standard_DS3_v2\n")

    assert fill_in(reading) is reading


def test_other_references_stay_what_they_are(folder: Path) -> None:
    register_both(folder)

    reading = fill_in(
        reading_of(f"{TODAY}code_configuration: {{code: 'azureml:code:1', scoring_script: s.py}}\n")
    )

    assert [
        finding.message for finding in reading.findings.items if finding.code == "cloud-reference"
    ] == ["code_configuration.code: azureml:code:1 can only be resolved by the cloud."]


def test_a_model_that_is_gone_is_told(folder: Path) -> None:
    register_both(folder)
    (folder / "forest.pkl").unlink()

    reading = fill_in(reading_of(TODAY))

    assert [str(finding) for finding in reading.findings.items] == [
        f"{folder}/deployment.yml:3:8: model: azureml:forest:1 is registered as "
        f"{folder}/forest.pkl, where nothing is any more. Put it back, or say `localep model "
        "delete -n forest -v 1` and register it anew."
    ]


def test_a_conda_file_that_is_gone_is_told_at_the_registrys_own_file(folder: Path) -> None:
    register_both(folder)
    (folder / "conda.yml").unlink()

    (finding,) = fill_in(reading_of(TODAY)).findings.items

    assert finding.where == str(folder / "data/localep/registry/environments/sklearn/1.json")
    assert str(folder / "conda.yml") in finding.message


def test_several_models_may_be_references(folder: Path) -> None:
    register_both(folder)
    text = TODAY.replace(
        "model: azureml:forest:1\n",
        "models:\n"
        "  - {name: oak, path: 'azureml:forest:1'}\n"
        "  - {name: elm, version: 4, path: 'azureml:forest@latest'}\n"
        "  - {name: fir, path: 'azureml:none:1'}\n"
        "  - {name: yew, path: forest.pkl}\n",
    )

    deployment, codes = filled(text)

    path = folder / "forest.pkl"
    assert deployment.models == (
        ModelSpec(path, None, "oak", "1", "mlflow_model"),
        ModelSpec(path, None, "elm", "4", "mlflow_model"),
        ModelSpec(None, None, "fir"),
        ModelSpec(path, None, "yew"),
    )
    assert codes.count("cloud-reference") == 1


def test_an_environment_of_2021_is_read_as_one_wherever_it_is_named(folder: Path) -> None:
    (folder / "docker").mkdir()
    (folder / "docker" / "Dockerfile").touch()
    (folder / "old.yml").write_text(
        "name: old\nversion: 3\npath: docker\n"
        "docker: {build: {dockerfile: 'file:docker/Dockerfile'}}\n"
    )
    asset = register_environment(Path("old.yml"), None, None)
    register_both(folder)

    deployment, _ = filled(TODAY.replace("sklearn@latest", "old:3"))

    assert (asset.name, asset.version) == ("old", "3")
    assert deployment.environment == EnvironmentSpec(build=BuildSpec(folder / "docker"))


def test_a_build_folder_is_registered_by_its_absolute_path(folder: Path) -> None:
    (folder / "docker").mkdir()
    (folder / "docker" / "Own").touch()
    (folder / "own.yml").write_text("build: {path: ./docker/../docker, dockerfile_path: Own}\n")

    asset = register_environment(Path("own.yml"), "own", "a")

    assert to_dict(asset) == {
        "name": "own",
        "version": "a",
        "source": str(folder / "own.yml"),
        "environment": {"build": {"path": str(folder / "docker"), "dockerfile_path": "Own"}},
        "available": True,
        "reference": "azureml:own:a",
        "created_at": asset.created_at,
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "dependencies: [python]\n",
            (
                "env.yml is a conda file and not an environment.",
                "It has `dependencies` at its top level.",
                "Write a file with `image:` and `conda_file:`, and register that.",
            ),
        ),
        (
            "description: nothing\n",
            (
                "env.yml is no environment.",
                "It has neither `image` nor `build` nor `conda_file`.",
                "Write the image that it starts from: `image: IMAGE`.",
            ),
        ),
        (
            "image: a\nimag: b\n",
            ("The YAML has one error.", None, "Correct the places named above and try again."),
        ),
        (
            "image: a\nconda_file: none.yml\n",
            ("The YAML has one error.", None, "Correct the places named above and try again."),
        ),
    ],
)
def test_what_is_no_environment_is_not_registered(
    folder: Path, text: str, error: tuple[str, str | None, str]
) -> None:
    (folder / "env.yml").write_text(text)

    with pytest.raises(SpecError) as caught:
        register_environment(Path("env.yml"), "e", None)

    assert told(caught.value) == error
    assert list_assets(Kind.ENVIRONMENT).assets == ()


def test_an_environment_needs_a_name() -> None:
    with pytest.raises(UsageError) as caught:
        register_environment(Path("env.yml"), None, None)

    assert told(caught.value) == (
        "The environment has no name.",
        "env.yml has no `name`, and the command line gives none.",
        "Name it with -n.",
    )


def test_the_path_of_a_model_is_noted_whole(folder: Path) -> None:
    asset = register_model("forest", None, Path("sub/../forest.pkl"), "custom_model")

    assert asset.content.path == folder / "forest.pkl"


def test_a_model_that_is_not_there_is_not_registered(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        register_model("forest", None, Path("none.pkl"), "custom_model")

    assert told(caught.value) == (
        f"There is no file or folder at {folder}/none.pkl.",
        None,
        "Name the model's file or folder with --path.",
    )


def test_a_version_that_cannot_be_read_does_not_hide_the_others(folder: Path) -> None:
    register_both(folder)
    broken = register_model("forest", "2", folder, "custom_model").file
    broken.write_text("")

    listing = list_assets(Kind.MODEL)

    assert [asset.version for asset in listing.assets] == ["1"]
    assert listing.unreadable == (
        f"Version 2 of the model forest cannot be read. {broken} is not what localep wrote. "
        "Say `localep model delete -n forest -v 2`, and register it again.",
    )


def test_latest_is_a_version_like_any_other_to_show_and_delete(folder: Path) -> None:
    for version in ("2", "1"):
        register_model("forest", version, Path("forest.pkl"), "custom_model")

    assert show(Kind.MODEL, "forest").version == "1"
    assert show(Kind.MODEL, "forest", "latest").version == "1"
    assert show(Kind.MODEL, "forest", "2").version == "2"
    assert found_versions(Kind.MODEL, "forest", "latest") == ["1"]
    assert delete(Kind.MODEL, "forest", found_versions(Kind.MODEL, "forest")) == ["1", "2"]


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "There is no model forest in the local registry."),
        ("latest", "There is no model forest in the local registry."),
        ("3", "There is no version 3 of the model forest in the local registry."),
    ],
)
def test_what_is_not_registered_can_be_neither_shown_nor_deleted(
    version: str | None, message: str
) -> None:
    for look in (show, found_versions):
        with pytest.raises(AssetConflict) as caught:
            look(Kind.MODEL, "forest", version)
        assert told(caught.value) == (message, None, "See `localep model list`.")


@pytest.mark.parametrize("text", [TODAY, MAY, APRIL], ids=["today", "may", "april"])
def test_models_may_be_named_on_the_command_line(folder: Path, text: str) -> None:
    (folder / "bush.pkl").touch()
    register_model("forest", None, folder / "forest.pkl", "custom_model")
    register_model("bush", "7", folder / "bush.pkl", "custom_model")
    register_environment(folder / "env.yml", "sklearn", None)
    (folder / "document.yml").write_text(text)

    def deployment(*models: str) -> DeploymentSpec:
        selection = Selection(endpoint="trees", models=models)
        reading = fill_in(read_files([folder / "document.yml"], selection))
        reading.findings.raise_errors()
        return reading.deployments[0]

    forest = ModelSpec(folder / "forest.pkl", None, "forest", "1", "custom_model")
    bush = ModelSpec(folder / "bush.pkl", None, "bush", "7", "custom_model")
    one = deployment("azureml:bush:7")
    assert (one.model, one.models) == (bush, ())
    several = deployment("azureml:bush:7", "azureml:forest@latest")
    assert (several.model, several.models) == (None, (bush, forest))
    with pytest.raises(UsageError, match="--model bush names no registered model"):
        deployment("bush", "azureml:forest:1")
