"""The samples as a user runs them, from the project's own folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.engine import Localep

SKLEARN = "samples/sklearn-regression"
WAYS = {
    "today": (f"{SKLEARN}/endpoint.yml", f"{SKLEARN}/deployment.yml"),
    "2021": (f"{SKLEARN}/2021/endpoint.yml",),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_sklearn_sample_predicts(localep: Localep, root: Path, way: str) -> None:
    localep.folder = root
    files = [argument for file in WAYS[way] for argument in ("-f", file)]

    localep("create", *files)

    answer = localep("invoke", "--request-file", f"{SKLEARN}/sample-request.json")
    assert json.loads(answer) == {"predictions": [205.49, 68.63]}
    assert "azmlinfsrv.print - predicting for 2 patients" in localep("get-logs")
    shown = localep.json("show")
    assert (shown["name"], shown["location"]) == ("sklearn-regression", "local")
    (deployment,) = shown["deployments"]
    assert deployment["model"] == str(root / SKLEARN / "model")
    assert deployment["code"] == str(root / SKLEARN / "code")
    localep("delete", "-y")


def test_the_model_is_what_its_training_script_makes(localep: Localep, root: Path) -> None:
    localep.folder = root
    image = localep.json("build", "-f", f"{SKLEARN}/deployment.yml")["image"]
    script = (
        "import runpy, joblib, numpy\n"
        "trained = runpy.run_path('/sample/train.py')['train']()\n"
        "stored = joblib.load('/sample/model/diabetes.pkl')\n"
        "data = numpy.random.default_rng(1).uniform(0, 100, (50, 10))\n"
        "numpy.testing.assert_allclose(trained.predict(data), stored.predict(data))\n"
        "print('the same')\n"
    )
    created = localep.engine.api.create_container(
        image,
        command=["python", "-c", script],
        host_config=localep.engine.api.create_host_config(
            binds={str(root / SKLEARN): {"bind": "/sample", "mode": "ro"}}
        ),
    )
    try:
        localep.engine.api.start(created["Id"])
        localep.engine.api.wait(created["Id"])
        output = localep.engine.api.logs(created["Id"])
    finally:
        localep.engine.api.remove_container(created["Id"], force=True)

    assert output == b"the same\n"


def test_a_combined_document_with_several_deployments_asks_for_one(
    localep: Localep, hello: Path
) -> None:
    combined = hello / "combined.yml"
    item = (
        "  - name: {name}\n"
        "    code_configuration: {{code: {{local_path: code}}, scoring_script: score.py}}\n"
        "    environment:\n"
        "      conda_file: file:conda.yml\n"
        "      docker: {{image: 'localep/base:latest'}}\n"
        "    environment_variables: {{GREETING: {name}}}\n"
    )
    combined.write_text(
        "name: hello\ntype: online\ndeployments:\n"
        + item.format(name="blue")
        + item.format(name="green")
    )

    answer = localep.run("create", "-f", "hello/combined.yml")
    assert (answer.status, answer.stderr) == (
        2,
        "Error: The documents hold several deployments.\n"
        "Cause: They name blue, green; a local endpoint runs one.\n"
        "Remedy: Choose one of them: --deployment blue.\n",
    )

    localep("create", "-f", "hello/combined.yml", "--deployment", "green")
    assert localep.invoke({"name": "you"}) == {"greeting": "green, you!"}
    localep("update", "--set", "deployments[0].environment_variables.GREETING=Servus")
    assert localep.invoke({"name": "you"}) == {"greeting": "Servus, you!"}
