"""The cloud's folders, made of links to the user's own files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localep.operations.serving.layout import lay_out
from localep.spec.model import LOG_LEVEL_VARIABLE, CodeSpec, DeploymentSpec, ModelSpec


@pytest.fixture
def code(tmp_path: Path) -> CodeSpec:
    folder = tmp_path / "mine" / "src"
    (folder / "serving" / "v2").mkdir(parents=True)
    (folder / "__pycache__").mkdir()
    (folder / "score.py").write_text("outer")
    (folder / "serving" / "beside.py").write_text("beside")
    (folder / "serving" / "v2" / "score.py").write_text("inner")
    return CodeSpec(folder, "score.py")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def deployment(*models: ModelSpec, **variables: str) -> DeploymentSpec:
    one = models[0] if len(models) == 1 else None
    several = models if len(models) > 1 else ()
    return DeploymentSpec(
        "blue", "hello", model=one, models=several, environment_variables=variables
    )


def below(folder: Path) -> dict[str, str]:
    """Every entry of a layout, and where it leads if it is a link."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else ""
        for path in sorted(folder.rglob("*"))
    }


def spec_with(code: CodeSpec, spec: DeploymentSpec) -> DeploymentSpec:
    from dataclasses import replace

    return replace(spec, code=code)


def test_the_code_folder_holds_links_to_the_files(code: CodeSpec, place: Path) -> None:
    made = lay_out(spec_with(code, deployment()), code, place)

    assert made.app_root == place / "azureml-app" / "src"
    assert made.variables == {
        "AML_APP_ROOT": str(made.app_root),
        "AZUREML_ENTRY_SCRIPT": "score.py",
    }
    assert below(made.app_root) == {
        "score.py": str(code.path / "score.py"),
        "serving": str(code.path / "serving"),
    }


def test_real_folders_lead_to_a_script_that_lies_deeper(code: CodeSpec, place: Path) -> None:
    deep = CodeSpec(code.path, "serving/v2/score.py")

    made = lay_out(spec_with(deep, deployment()), deep, place)

    assert made.app_root == place / "azureml-app" / "src" / "serving" / "v2"
    assert below(place / "azureml-app" / "src") == {
        "score.py": str(code.path / "score.py"),
        "serving": "",
        "serving/beside.py": str(code.path / "serving" / "beside.py"),
        "serving/v2": "",
        "serving/v2/score.py": str(code.path / "serving" / "v2" / "score.py"),
    }


def test_models_lie_by_name_and_version_for_both_sdks(
    code: CodeSpec, place: Path, tmp_path: Path
) -> None:
    for name in ("a.pkl", "b.pkl"):
        (tmp_path / name).touch()
    models = (
        ModelSpec(tmp_path / "a.pkl", name="a", version="2"),
        ModelSpec(tmp_path / "b.pkl", name="b"),
    )

    spec = spec_with(code, deployment(*models))
    assert "azureml-models" not in below(lay_out(spec, code, tmp_path / "without").app_root)
    script = code.path / code.scoring_script
    script.write_text("path = Model.get_model_path('a')\n")

    made = lay_out(spec, code, place)

    root = place / "azureml-app" / "azureml-models"
    assert made.variables["AZUREML_MODEL_DIR"] == str(root)
    assert below(root) == {
        "a": "",
        "a/2": "",
        "a/2/a.pkl": str(tmp_path / "a.pkl"),
        "b": "",
        "b/1": "",
        "b/1/b.pkl": str(tmp_path / "b.pkl"),
    }
    assert (made.app_root / "azureml-models").readlink() == root


def test_what_the_code_brings_itself_stays(code: CodeSpec, place: Path, tmp_path: Path) -> None:
    (code.path / "azureml-models").mkdir()
    (code.path / "logging.json").write_text("{}")
    (tmp_path / "a.pkl").touch()
    model = ModelSpec(tmp_path / "a.pkl", name="a")
    spec = deployment(model, **{LOG_LEVEL_VARIABLE: "DEBUG"})

    made = lay_out(spec_with(code, spec), code, place)

    assert below(made.app_root)["azureml-models"] == str(code.path / "azureml-models")
    assert (made.app_root / "logging.json").read_text() == "{}"


def test_a_log_level_brings_a_logging_json_beside_the_code(code: CodeSpec, place: Path) -> None:
    spec = deployment(**{LOG_LEVEL_VARIABLE: "DEBUG"})

    made = lay_out(spec_with(code, spec), code, place)

    assert json.loads((made.app_root / "logging.json").read_text())["root"]["level"] == "DEBUG"
    assert not (code.path / "logging.json").exists()
