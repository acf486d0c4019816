"""What the command line says of itself, and of a command line that it does not understand."""

from __future__ import annotations

import re
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from localep import __version__

Localep = Callable[..., CompletedProcess[str]]
Answers = dict[str, CompletedProcess[str]]

HELP = """\
Usage: python -m localep [OPTIONS] COMMAND [ARGS]...

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
  show             Show an endpoint and its deployment.
  list             List the endpoints.
  get-credentials  Show the keys of an endpoint.
  delete           Delete an endpoint, or its deployment alone.
  render           Print the Dockerfile of a deployment's environment;...
  build            Build the image of a deployment's environment; start...
  base             The base image that environments and gateways start from.
"""

NAME = ["-n", "-e", "--name", "--endpoint-name"]
DEPLOYMENT = ["-d", "--deployment", "--deployment-name"]
OUTPUT = ["-o", "--output", "--query"]
OPTIONS = {
    "create": [
        *["-f", "--file", *NAME, *DEPLOYMENT, "--set", "--host", "--port", "--timeout"],
        *["--all-traffic", "--copy-model", "--python", "--strict-image", "--pull", "--no-cache"],
        *OUTPUT,
    ],
    "update": [
        *["-f", "--file", *NAME, *DEPLOYMENT, "--set", "--timeout", "--copy-model", "--python"],
        *["--strict-image", "--pull", "--no-cache", *OUTPUT],
    ],
    "invoke": ["-r", "--request-file", *NAME, *DEPLOYMENT],
    "get-logs": [*NAME, *DEPLOYMENT, "-l", "--lines", "--follow"],
    "show": [*NAME, *OUTPUT],
    "list": OUTPUT,
    "get-credentials": [*NAME, *OUTPUT],
    "delete": [*NAME, *DEPLOYMENT, "-y", "--yes"],
    "render": ["-f", "--file", *DEPLOYMENT, "--set", "--to", "--python", "--strict-image"],
    "build": [
        *["-f", "--file", *DEPLOYMENT, "--set", "--python", "--strict-image", "--pull"],
        *["--no-cache", *OUTPUT],
    ],
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
    ("line", "usage", "error"),
    [
        ("deploy", "[OPTIONS] COMMAND [ARGS]...", "No such command 'deploy'."),
        ("create", "create [OPTIONS]", "Missing option '-f' / '--file'."),
        ("list --nope", "list [OPTIONS]", "No such option: --nope"),
    ],
)
def test_a_command_line_that_nobody_understands_is_refused(
    answers: Answers, line: str, usage: str, error: str
) -> None:
    answer = answers[line]

    program = f"python -m localep {usage}"
    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        f"Usage: {program}\nTry '{program.partition(' [')[0]} -h' for help.\n\nError: {error}\n",
    )


@pytest.mark.parametrize("verb", OPTIONS)
def test_the_help_of_a_verb_names_its_options(here: Localep, verb: str) -> None:
    answer = here(*verb.split(), "--help")

    heads = re.findall(r"^  (-.*?)(?:  |$)", answer.stdout, re.MULTILINE)
    options = [option for head in heads for option in re.findall(r"(?<!\S)-[-a-z]+", head)]
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
        ("invoke", "Missing option '-r' / '--request-file'."),
        ("base", "Missing command."),
        ("show -n", "Option '-n' requires an argument."),
        ("list --set a=1", "No such option: --set"),
    ],
)
def test_a_verb_says_what_it_misses(here: Localep, line: str, error: str) -> None:
    answer = here(*line.split())

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.splitlines()[-1] == f"Error: {error}"


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("list -o xml", "'-o' / '--output'"),
        ("create -f x.yml --port 0", "'--port'"),
        ("create -f x.yml --port 65536", "'--port'"),
        ("get-logs -l -1", "'-l' / '--lines'"),
        ("update --timeout 0", "'--timeout'"),
    ],
)
def test_a_value_that_is_out_of_place_is_refused(here: Localep, line: str, option: str) -> None:
    answer = here(*line.split())

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.splitlines()[-1].startswith(f"Error: Invalid value for {option}: ")
