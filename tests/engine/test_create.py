"""What `create` starts, and what it leaves when it cannot."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from support.engine import Localep, write_script

from localep.operations.names import Names

PROBE_SCRIPT = """
import json, os

def init():
    pass

def run(raw_data):
    model_dir = os.environ.get("AZUREML_MODEL_DIR", "/nowhere")
    return {
        "variables": {name: os.environ.get(name) for name in json.loads(raw_data)["variables"]},
        "working_dir": os.getcwd(),
        "model": sorted(
            os.path.relpath(os.path.join(folder, name), model_dir)
            for folder, _, names in os.walk(model_dir) for name in names
        ),
        "model_is_writable": os.access(model_dir, os.W_OK),
        "files": sorted(name for name in os.listdir(".") if name != "__pycache__"),
        "user": [os.getuid(), os.getgid()],
        "home_is_writable": os.access(os.environ["HOME"], os.W_OK),
    }
"""


def test_the_container_has_the_layout_of_the_cloud(localep: Localep, hello: Path) -> None:
    write_script(hello, PROBE_SCRIPT)
    model = localep.folder / "a model.pkl"
    model.write_text("weights")
    localep(
        "create",
        *("-f", "hello/deployment.yml"),
        *("--set", f"model.path={model}", "model.name=net", 'model.version="7"'),
        *("environment_variables.COUNT=3", "environment_variables.ON=true"),
    )

    answer = localep.invoke(
        {
            "variables": [
                "AML_APP_ROOT",
                "AZUREML_MODEL_DIR",
                "GREETING",
                "COUNT",
                "ON",
                "HOME",
            ]
        }
    )

    owner = hello.stat()
    user = [os.getuid(), os.getgid()] if os.getuid() else [owner.st_uid, owner.st_gid]
    assert answer == {
        "variables": {
            "AML_APP_ROOT": "/var/azureml-app/code",
            "AZUREML_MODEL_DIR": "/var/azureml-app/azureml-models/net/7",
            "GREETING": "Hello",
            "COUNT": "3",
            "ON": "True",
            "HOME": "/tmp",
        },
        "working_dir": "/var/azureml-app/code",
        "model": ["a model.pkl"],
        "model_is_writable": answer["model_is_writable"],
        "files": ["score.py"],
        "user": user,
        "home_is_writable": True,
    }


def test_a_model_folder_lies_inside_under_its_own_name(localep: Localep, hello: Path) -> None:
    write_script(hello, PROBE_SCRIPT)
    folder = localep.folder / "my model"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "w.bin").write_text("x")
    (localep.folder / "secret.txt").write_text("beside the model, not in it")
    localep("create", "-f", "hello/deployment.yml", "--set", f"model.path={folder}")

    answer = localep.invoke({"variables": []})

    assert answer["model"] == ["my model/sub/w.bin"]


def test_a_script_in_a_sub_folder_runs_from_there(localep: Localep, hello: Path) -> None:
    (hello / "code" / "online").mkdir()
    (hello / "code" / "online" / "score.py").write_text(PROBE_SCRIPT)
    localep(
        "create",
        *("-f", "hello/deployment.yml"),
        *("--set", "code_configuration.scoring_script=online/score.py"),
    )

    answer = localep.invoke({"variables": ["AML_APP_ROOT"]})

    assert answer["working_dir"] == "/var/azureml-app/code/online"
    assert answer["variables"] == {"AML_APP_ROOT": "/var/azureml-app/code/online"}


def test_the_container_has_no_more_rights_than_it_needs(created: Localep) -> None:
    found = created.engine.api.inspect_container(created.container())
    gateway = created.engine.api.inspect_container(created.container("gateway"))

    for container in (found, gateway):
        assert container["HostConfig"]["CapDrop"] == ["ALL"]
        assert container["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]
        assert container["HostConfig"]["RestartPolicy"]["Name"] == "always"
    (binding,) = gateway["HostConfig"]["PortBindings"]["8080/tcp"]
    assert binding["HostIp"] == "127.0.0.1"
    assert not found["HostConfig"]["PortBindings"]


def test_the_proxies_of_the_docker_client_reach_the_container(
    localep: Localep, hello: Path, tmp_path: Path
) -> None:
    proxies = {"httpProxy": "http://proxy.example.org:3128", "noProxy": "intranet"}
    tmp_path.joinpath("config.json").write_text(json.dumps({"proxies": {"default": proxies}}))
    localep.environ["DOCKER_CONFIG"] = str(tmp_path)

    localep("create", "-f", "hello/deployment.yml", "--set", "environment_variables.no_proxy=mine")

    _, variables = localep.engine.execute(localep.container(), ["env"])
    assert {line for line in variables.splitlines() if "proxy" in line.lower()} == {
        "HTTP_PROXY=http://proxy.example.org:3128",
        "http_proxy=http://proxy.example.org:3128",
        "NO_PROXY=intranet",
        "no_proxy=mine",
    }
    assert localep.invoke({"name": "proxy"}) == {"greeting": "Hello, proxy!"}


def test_keys_are_shown_by_get_credentials_alone(created: Localep) -> None:
    keys = created.json("get-credentials")

    shown = [created("show", "-o", "json"), created("list", "-o", "json"), created("get-logs")]
    for role in ("gateway", "deployment"):
        shown.append(str(created.engine.api.inspect_container(created.container(role))))
        shown.append(b"".join(created.engine.logs(created.container(role))).decode())
    for key in keys.values():
        assert len(key) >= 32
        assert all(key not in text for text in shown)


def test_the_state_file_is_for_the_gateway_alone(created: Localep) -> None:
    status, output = created.engine.execute(
        created.container("gateway"),
        ["stat", "-c", "%a %U", "/var/lib/localep/state.json", "/etc/haproxy/keys.map"],
    )

    assert (status, output) == (0, "600 haproxy\n600 haproxy\n")


def test_an_endpoint_alone_gets_its_deployment_later(localep: Localep, hello: Path) -> None:
    localep("create", "-f", "hello/endpoint.yml")
    empty = localep.run("invoke", "-r", "hello/sample-request.json")
    assert (empty.status, empty.stdout) == (7, "The endpoint has no deployment.")
    port = localep.json("show")["scoring_uri"]

    localep("create", "-f", "hello/deployment.yml")

    assert localep.json("show")["scoring_uri"] == port
    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_files_come_in_any_order(localep: Localep, hello: Path) -> None:
    localep("create", "-f", "hello/deployment.yml", "-f", "hello/endpoint.yml")

    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_names_may_have_upper_case(localep: Localep, hello: Path) -> None:
    localep("create", "-f", "hello/deployment.yml", "-n", "My-Endpoint")

    assert localep.json("show")["name"] == "My-Endpoint"
    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_long_names_have_a_place_on_the_network(localep: Localep, hello: Path) -> None:
    longest = "e" * 32
    localep("create", "-f", "hello/deployment.yml", "-n", longest, "--set", f"name={'d' * 32}")

    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_two_endpoints_live_side_by_side(created: Localep) -> None:
    created(
        "create",
        "-f",
        "hello/deployment.yml",
        "-n",
        "other",
        "--set",
        "environment_variables.GREETING=Bye",
    )

    assert created.invoke({"name": "you"}, "-n", "hello") == {"greeting": "Hello, you!"}
    assert created.invoke({"name": "you"}, "-n", "other") == {"greeting": "Bye, you!"}
    unclear = created.run("show")
    assert (unclear.status, unclear.stderr) == (
        2,
        "Error: There are several endpoints.\n"
        "Cause: They are hello, other.\n"
        "Remedy: Choose one of them: -n hello.\n",
    )


def test_a_copied_model_is_read_from_a_volume(localep: Localep, hello: Path) -> None:
    write_script(hello, PROBE_SCRIPT)
    model = localep.folder / "model.pkl"
    model.write_text("weights")
    localep("create", "-f", "hello/deployment.yml", "--copy-model", "--set", f"model.path={model}")

    assert localep.invoke({"variables": []})["model"] == ["model.pkl"]
    (mount,) = localep.engine.api.inspect_container(localep.container())["Mounts"]
    assert (mount["Type"], mount["RW"]) == ("volume", False)
    (volume,) = localep.engine.list_volumes(localep.names.labels())
    assert mount["Name"] == volume


def test_a_mounted_model_cannot_be_changed(localep: Localep, hello: Path) -> None:
    model = localep.folder / "model.pkl"
    model.write_text("weights")
    model.chmod(0o666)
    write_script(
        hello,
        "import glob, os\n"
        "def init(): pass\n"
        "def run(raw_data):\n"
        "    try:\n"
        "        open(glob.glob(os.environ['AZUREML_MODEL_DIR'] + '/*')[0], 'w')\n"
        "    except OSError as error:\n"
        "        return error.strerror\n",
    )
    localep("create", "-f", "hello/deployment.yml", "--set", f"model.path={model}")

    assert localep.invoke({}) == "Read-only file system"
    assert model.read_text() == "weights"


def test_a_chosen_port_is_kept(localep: Localep, hello: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    localep("create", "-f", "hello/deployment.yml", "--port", str(port))

    assert localep.json("show")["scoring_uri"] == f"http://127.0.0.1:{port}/score"


def test_a_taken_port_is_an_error_and_leaves_nothing(localep: Localep, hello: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        answer = localep.run("create", "-f", "hello/deployment.yml", "--port", str(port))

    assert answer.status == 4
    assert answer.stderr.startswith(f"Error: Port {port} is in use.\n")
    assert localep.left_behind() == []


def test_a_second_deployment_is_refused(created: Localep) -> None:
    answer = created.run("create", "-f", "hello/deployment.yml", "--set", "name=green")

    assert (answer.status, answer.stdout, answer.stderr) == (
        8,
        "",
        "Error: Endpoint hello has a deployment already.\n"
        "Cause: It is blue; a local endpoint runs one deployment, so green has no place "
        "beside it.\n"
        "Remedy: Remove blue first (localep delete -n hello --deployment blue), or create green "
        "under another endpoint's name with -n.\n",
    )
    assert created.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_what_exists_is_not_created_again(created: Localep) -> None:
    deployment = created.run("create", "-f", "hello/deployment.yml")
    endpoint = created.run("create", "-f", "hello/endpoint.yml")

    remedy = "Remedy: Change it with `localep update`, or remove it with `localep delete`.\n"
    assert (deployment.status, deployment.stderr) == (
        8,
        f"Error: Deployment blue of endpoint hello exists already.\n{remedy}",
    )
    assert (endpoint.status, endpoint.stderr) == (
        8,
        f"Error: Endpoint hello exists already.\n{remedy}",
    )


def test_a_deleted_deployment_makes_room_for_another(created: Localep) -> None:
    created("delete", "--yes", "--deployment", "blue")
    assert created.json("show")["deployments"] == []

    created("create", "-f", "hello/deployment.yml", "--set", "name=green")

    assert [deployment["name"] for deployment in created.json("show")["deployments"]] == ["green"]
    assert created.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_traffic_of_the_yaml_is_obeyed(localep: Localep, hello: Path) -> None:
    (hello / "endpoint.yml").write_text("name: hello\ntraffic:\n  blue: 0\n")
    localep("create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml")

    assert localep.json("show")["traffic"] == {"blue": 0}
    assert localep.run("invoke", "-r", "hello/sample-request.json").status == 7
    assert localep.invoke({"name": "you"}, "--deployment", "blue") == {"greeting": "Hello, you!"}

    (hello / "endpoint.yml").write_text("name: hello\ntraffic:\n  blue: 100\n")
    localep("update", "-f", "hello/endpoint.yml")

    assert localep.json("show")["traffic"] == {"blue": 100}
    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_a_namespace_does_not_meet_one_whose_name_begins_alike(
    created: Localep, hello: Path
) -> None:
    namespace = created.names.namespace[:-1]
    shorter = Localep(created.engine, Names(namespace), created.folder)
    try:
        shorter("create", "-f", "hello/deployment.yml")

        assert shorter.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
        shorter("delete", "--yes")
        assert shorter.left_behind() == []
        assert created.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
    finally:
        shorter.run("delete", "--yes")


def test_registered_models_reach_the_container_by_name_and_version(
    localep: Localep, hello: Path
) -> None:
    localep.environ["XDG_DATA_HOME"] = str(localep.folder / "data")
    for name, version in (("forest", "3"), ("bush", "1")):
        (localep.folder / f"{name}.txt").write_text(name)
        localep("model", "register", "-n", name, "-v", version, "--path", f"{name}.txt")
    write_script(
        hello,
        "import os, pathlib\n"
        "def init(): pass\n"
        "def run(raw_data):\n"
        "    root = pathlib.Path(os.environ['AZUREML_MODEL_DIR'])\n"
        "    return {str(p.relative_to(root)): p.read_text() for p in root.rglob('*.txt')}\n",
    )

    models = ("--model", "azureml:forest@latest", "--model", "azureml:bush:1")
    localep("create", "-f", "hello/deployment.yml", *models)
    assert localep.invoke({}) == {"forest/3/forest.txt": "forest", "bush/1/bush.txt": "bush"}

    localep("update", "--model", "azureml:bush:1")
    assert localep.invoke({}) == {"bush.txt": "bush"}
