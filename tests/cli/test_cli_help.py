"""What the command line says of itself, and of a command line that it does not understand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from localep import __version__

Localep = Callable[..., CompletedProcess[str]]
Answers = dict[str, CompletedProcess[str]]

HELP = """\
Usage: localep [OPTIONS] COMMAND [ARGS]...

  Run Azure Machine Learning online endpoints on this machine, from the
  cloud's own YAML.

Options:
  --debug     Show the traceback of an error of localep itself.
  --version   Show the version.
  -h, --help  Show this message and exit.

Commands:
  create           Create an endpoint and its deployment from their YAML.
  update           Change an endpoint while it runs; without -f, from the...
  invoke           Send a request to an endpoint and write the body of...
  get-logs         Write what the inference server and the scoring script...
  stats            Tell how the requests of an endpoint went, and what is...
  show             Show an endpoint and its deployment.
  list             List the endpoints.
  get-credentials  Show the keys of an endpoint, or a token where its...
  list-keys        Show the keys of an endpoint.
  regenerate-keys  Replace one key of an endpoint; the other one goes on.
  delete           Delete an endpoint, or its deployment alone.
  serve            Run the inference server on this machine itself,...
  validate         Tell all that is wrong or doubtful with YAML files;...
  upgrade          Write files of 2021 anew as the cloud reads them...
  schema           Print the JSON Schema of today's documents, for...
  instance-types   List the instance types of managed endpoints, and what...
  doctor           Tell what on this machine helps or hinders localep.
  render           Print the Dockerfile of a deployment's environment;...
  build            Build the image of a deployment's environment; start...
  lock             Write conda-lock.yml: the exact packages of a conda file.
  export           Export a deployment as an image, or to Kubernetes.
  model            Models that documents name as azureml:NAME:VERSION.
  environment      Environments that documents name as azureml:NAME:VERSION.
  base             The base image that environments and gateways start from.
"""

NAME = ["-n", "-e", "--name", "--endpoint-name"]
DEPLOYMENT = ["-d", "--deployment", "--deployment-name"]
OUTPUT = ["-o", "--output", "--query"]
ASSET = ["-n", "--name"]
VERSION = ["-v", "--version"]
OPTIONS = {
    "create": [
        *[
            "-f",
            "--file",
            *NAME,
            *DEPLOYMENT,
            "--set",
            "--var",
            "--model",
            "--host",
            "--port",
            "--timeout",
        ],
        *["--all-traffic", "--copy-model", "--instances"],
        *["--no-limits", "--cpus", "--memory", "--shm-size", "--gpus"],
        "--skip-script-validation",
        *["--log-level", "--allow-options", "--direct", "--no-auth", "--max-payload"],
        *["--python", "--solver", "--strict-image", "--pull", "--no-cache", "--platform", *OUTPUT],
    ],
    "update": [
        *["-f", "--file", *NAME, *DEPLOYMENT, "--set", "--var", "--model", "--timeout"],
        *[
            "--copy-model",
            "--instances",
            *["--limits", "--no-limits", "--cpus", "--memory", "--shm-size", "--gpus"],
            "--skip-script-validation",
            "--log-level",
            "--auth",
            "--no-auth",
            "--max-payload",
            "--python",
            "--solver",
            "--strict-image",
            "--pull",
            "--no-cache",
            "--platform",
            *OUTPUT,
        ],
    ],
    "invoke": ["-r", "--request-file", *NAME, *DEPLOYMENT, "--direct", *OUTPUT],
    "get-logs": [
        *NAME,
        *DEPLOYMENT,
        *["-c", "--container", "--instance", "-l", "--lines", "--follow", *OUTPUT],
    ],
    "stats": [*NAME, "-l", "--lines", *OUTPUT],
    "show": [*NAME, *OUTPUT],
    "list": OUTPUT,
    "get-credentials": [*NAME, *OUTPUT],
    "list-keys": [*NAME, *OUTPUT],
    "regenerate-keys": [*NAME, "--key-kind", "--key-type", *OUTPUT],
    "delete": [*NAME, *DEPLOYMENT, "-y", "--yes", *OUTPUT],
    "serve": [
        *[
            "-f",
            "--file",
            *NAME,
            *DEPLOYMENT,
            "--set",
            "--var",
            "--model",
            "--entry-script",
            "--model-dir",
            "--host",
        ],
        *["--port", "--workers", "--timeout", "--no-reload", "--isolated", "--python"],
        *["--log-level", "-o", "--output"],
    ],
    "validate": [
        *["-f", "--file", *NAME, *DEPLOYMENT, "--set", "--var", "--model", "--strict"],
        *["--images", *OUTPUT],
    ],
    "upgrade": ["-f", "--file", "--to", "--force", *OUTPUT],
    "schema": OUTPUT,
    "instance-types": ["--gpu", *OUTPUT],
    "doctor": OUTPUT,
    "render": [
        *[
            "-f",
            "--file",
            *DEPLOYMENT,
            "--set",
            "--var",
            "--to",
            "--python",
            "--solver",
            "--strict-image",
            *OUTPUT,
        ],
    ],
    "build": [
        *["-f", "--file", *DEPLOYMENT, "--set", "--var", "--python", "--solver", "--strict-image"],
        "--pull",
        *["--no-cache", "--platform", *OUTPUT],
    ],
    "lock": [
        *["-f", "--file", *DEPLOYMENT, "--set", "--var", "--platform", "--check", "--python"],
        *["--solver", *OUTPUT],
    ],
    "export": [],
    "export image": [
        *["-t", "--tag", *NAME, "-f", "--file", *DEPLOYMENT, "--set", "--var", "--model"],
        *["--keep-variable", "--python", "--strict-image", "--platform", *OUTPUT],
    ],
    "export k8s": [
        *[*NAME, "-f", "--file", *DEPLOYMENT, "--set", "--var", "--image", "-O", "--to", *OUTPUT],
    ],
    "model": [],
    "model register": [*ASSET, "--path", *VERSION, "--type", *OUTPUT],
    "model list": [*ASSET, *OUTPUT],
    "model show": [*ASSET, *VERSION, *OUTPUT],
    "model delete": [*ASSET, *VERSION, "-y", "--yes", *OUTPUT],
    "environment": [],
    "environment register": ["-f", "--file", *ASSET, *VERSION, *OUTPUT],
    "environment list": [*ASSET, *OUTPUT],
    "environment show": [*ASSET, *VERSION, *OUTPUT],
    "environment delete": [*ASSET, *VERSION, "-y", "--yes", *OUTPUT],
    "base": [],
    "base build": ["--pull", "--no-cache", "--debian-mirror", *OUTPUT],
}


@pytest.fixture(scope="module")
def answers(all_of: Callable[[list[str]], Answers]) -> Answers:
    return all_of(["--version", "--help", "", "deploy", "create", "list --nope"])


def test_the_version(answers: Answers) -> None:
    answer = answers["--version"]

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"localep {__version__}\n", "")


def test_the_help(answers: Answers) -> None:
    answer = answers["--help"]

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, HELP, "")


def test_without_arguments_the_help_is_written_and_the_command_line_is_wrong(
    answers: Answers,
) -> None:
    answer = answers[""]

    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", HELP)


@pytest.mark.parametrize(
    ("line", "command", "error"),
    [
        ("deploy", "localep", "No such command 'deploy'."),
        ("create", "localep create", "Missing option '-f' / '--file'."),
        ("list --nope", "localep list", "No such option: --nope."),
    ],
)
def test_a_command_line_that_nobody_understands_is_refused(
    answers: Answers, line: str, command: str, error: str
) -> None:
    answer = answers[line]

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        f"Error: {error}\nRemedy: See `{command} --help`.\n",
    )


@pytest.mark.parametrize("verb", OPTIONS)
def test_the_help_of_a_verb_names_its_options(here: Localep, verb: str) -> None:
    answer = here(*verb.split(), "--help")

    heads = re.findall(r"^  (-.*?)(?:  |$)", answer.stdout, re.MULTILINE)
    options = [option for head in heads for option in re.findall(r"(?<!\S)-[-a-zA-Z]+", head)]
    assert options == [*OPTIONS[verb], "-h", "--help"]
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_verbs_with_a_help_are_all_that_there_are() -> None:
    listed = re.findall(r"^  ([a-z-]+)  ", HELP.partition("Commands:")[2], re.MULTILINE)

    assert listed == [verb for verb in OPTIONS if " " not in verb]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("render", "Missing option '-f' / '--file'."),
        ("build", "Missing option '-f' / '--file'."),
        ("lock", "Missing option '-f' / '--file'."),
        ("invoke", "Missing option '-r' / '--request-file'."),
        ("base", "Missing command."),
        ("show -n", "Option '-n' requires an argument."),
        ("list --set a=1", "No such option: --set."),
        ("list all", "Got unexpected extra argument(s) (all)."),
    ],
)
def test_a_verb_says_what_it_misses(here: Localep, line: str, error: str) -> None:
    answer = here(*line.split())

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        f"Error: {error}\nRemedy: See `localep {line.split(maxsplit=1)[0]} --help`.\n",
    )


def test_a_verb_that_is_nearly_one_is_recognized(here: Localep) -> None:
    answer = here("lst")

    assert answer.stderr.splitlines()[0] == "Error: No such command 'lst'. Did you mean 'list'?"


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("list -o xml", "'-o' / '--output'"),
        ("create -f x.yml --port 0", "'--port'"),
        ("create -f x.yml --port 65536", "'--port'"),
        ("create -f x.yml --host nowhere", "'--host'"),
        ("create -f x.yml --host 127.0.0.1:80", "'--host'"),
        ("get-logs -l -1", "'-l' / '--lines'"),
        ("get-logs --instance 0", "'--instance'"),
        ("get-logs --container nginx", "'-c' / '--container'"),
        ("stats -l 0", "'-l' / '--lines'"),
        ("update --timeout 0", "'--timeout'"),
        ("update --gpus ,", "'--gpus'"),
        ("update --gpus 65", "'--gpus'"),
        ("create -f x.yml --gpus -1", "'--gpus'"),
        ("update --log-level loud", "'--log-level'"),
        ("create -f x.yml --log-level 10", "'--log-level'"),
    ],
)
def test_a_value_that_is_out_of_place_is_refused(here: Localep, line: str, option: str) -> None:
    answer = here(*line.split())

    # Why it is out of place is told in words that change with Typer's version.
    first, cause, remedy = answer.stderr.splitlines()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert first == f"Error: Invalid value for {option}."
    assert re.fullmatch(r"Cause: .*[^.]\.", cause)
    assert "Value error" not in cause
    assert remedy == f"Remedy: See `localep {line.split(maxsplit=1)[0]} --help`."


@pytest.mark.parametrize(
    "line",
    [
        "list --nope -o json",
        "list --nope --output json",
        "list --nope -ojson",
        "list -oJSON --nope",
        "list --output=json --nope",
        "list --nope --query [].name",
        "list --nope -o tsv -o json",
        "list --nope -o xml --query=[].name",
    ],
)
def test_programs_get_what_is_wrong_with_their_command_line_as_json(
    here: Localep, line: str
) -> None:
    answer = here(*line.split())

    assert (answer.returncode, answer.stdout) == (2, "")
    assert json.loads(answer.stderr) == {
        "error": {
            "type": "UsageError",
            "message": "No such option: --nope.",
            "cause": None,
            "remedy": "See `localep list --help`.",
            "details": [],
            "exit_code": 2,
        }
    }
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "line",
    ["list --nope -o tsv", "list --nope -o json -o tsv --query x", "list --nope -- -o json", "lst"],
)
def test_others_get_it_in_words(here: Localep, line: str) -> None:
    assert here(*line.split()).stderr.startswith("Error: No such ")
