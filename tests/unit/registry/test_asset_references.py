"""References to registered assets: their forms, and what they name here."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.registry.assets import Content, Kind
from localep.registry.references import Reference, parse, register_command, resolve
from localep.registry.store import Store

WORKSPACE = (
    "subscriptions/s-1/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("azureml:trees:1", Reference("trees", version="1")),
        ("azureml:trees:2024.01-a", Reference("trees", version="2024.01-a")),
        ("azureml:trees@latest", Reference("trees", label="latest")),
        ("azureml:trees@prod", Reference("trees", label="prod")),
        ("azureml:trees", Reference("trees")),
        ("azureml:my_trees-1.0:1", Reference("my_trees-1.0", version="1")),
        ("azureml:trees/versions/9", Reference("trees", version="9")),
        ("azureml:trees/labels/latest", Reference("trees", label="latest")),
        ("azureml://registries/azureml/models/trees/versions/3", Reference("trees", version="3")),
        (
            "azureml://registries/azureml/models/trees/labels/latest",
            Reference("trees", label="latest"),
        ),
        (f"azureml:/{WORKSPACE}/models/trees/versions/3", Reference("trees", version="3")),
        (f"azureml:{WORKSPACE}/models/trees/versions/3", Reference("trees", version="3")),
        (f"azureml:/{WORKSPACE.lower()}/models/trees/versions/3", Reference("trees", version="3")),
        (f"azureml:/{WORKSPACE}/models/trees/labels/latest", Reference("trees", label="latest")),
        (
            "azureml://subscriptions/s/resourcegroups/g/workspaces/w/models/trees/versions/3",
            Reference("trees", version="3"),
        ),
        (
            "azureml://locations/westeurope/workspaces/w/models/trees/versions/3",
            Reference("trees", version="3"),
        ),
    ],
)
def test_every_form_of_a_reference_is_read(text: str, reference: Reference) -> None:
    assert parse(Kind.MODEL, text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "trees:1",
        "azureml:",
        "azureml::1",
        "azureml:trees:",
        "azureml:trees@",
        "azureml:../trees:1",
        "azureml:<your model>:1",
        "azureml:.trees:1",
        "azureml://registries/azureml/environments/trees/versions/3",
        "azureml://registries/azureml/models/trees",
        f"azureml:/{WORKSPACE}/codes/trees/versions/3",
        "azureml://datastores/d/paths/models/trees/versions/3",
        "azureml://jobs/j/outputs/o/paths/models/trees/versions/3",
        "file:trees",
    ],
)
def test_what_names_no_model_is_none(text: str) -> None:
    assert parse(Kind.MODEL, text) is None


def test_environments_have_the_same_forms() -> None:
    text = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"

    assert parse(Kind.ENVIRONMENT, text) == Reference("sklearn-1.5", label="latest")
    assert parse(Kind.ENVIRONMENT, "azureml:AzureML-sklearn-1.5:3") == Reference(
        "AzureML-sklearn-1.5", version="3"
    )


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("azureml:trees:1", "1"),
        ("azureml:trees:9", None),
        ("azureml:trees:../trees/1", None),
        ("azureml:trees:1:2", None),
        ("azureml:trees@latest", "1"),
        ("azureml:trees", "1"),
        ("azureml:trees@prod", None),
        ("azureml:others", None),
        ("azureml://registries/azureml/models/trees/versions/2", "2"),
        ("azureml://registries/azureml/environments/trees/versions/2", None),
        ("nothing of the kind", None),
    ],
)
def test_a_reference_leads_to_what_was_registered(
    tmp_path: Path, text: str, version: str | None
) -> None:
    store = Store(tmp_path)
    store.add(Kind.MODEL, "trees", "2", Content(Path("/two")))
    store.add(Kind.MODEL, "trees", "1", Content(Path("/one")))

    asset = resolve(store, Kind.MODEL, text)

    assert (asset.version if asset is not None else None) == version


def test_models_and_environments_have_names_of_their_own(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(Kind.MODEL, "trees", "1", Content(Path("/one")))

    assert resolve(store, Kind.ENVIRONMENT, "azureml:trees:1") is None


@pytest.mark.parametrize(
    ("kind", "text", "command"),
    [
        (Kind.MODEL, "azureml:trees:3", "localep model register -n trees -v 3 --path PATH"),
        (Kind.MODEL, "azureml:trees@latest", "localep model register -n trees --path PATH"),
        (Kind.MODEL, "azureml:trees:1:2", "localep model register -n trees --path PATH"),
        (Kind.MODEL, "azureml:?", "localep model register -n NAME --path PATH"),
        (
            Kind.ENVIRONMENT,
            "azureml://registries/azureml/environments/sklearn-1.5/versions/4",
            "localep environment register -n sklearn-1.5 -v 4 -f env.yml",
        ),
    ],
)
def test_the_command_that_registers_it_is_known(kind: Kind, text: str, command: str) -> None:
    assert register_command(kind, text) == command
