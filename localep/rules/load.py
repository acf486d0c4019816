"""Rules for what init() would trip over: pickles, paths and variables."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from localep.rules.pickles import classes_of_main
from localep.rules.rule import Told, deployment_rule
from localep.rules.scripts import (
    called_name,
    dotted_name,
    imports_of,
    place_in,
    running_nodes,
)
from localep.rules.subject import dockerfile_of
from localep.spec.findings import Severity
from localep.spec.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.rules.subject import DeploymentSubject
    from localep.spec.documents import Document

# What the server and the system set in every container; so does the cloud by this prefix.
GIVEN_VARIABLES = frozenset(
    {
        "AML_APP_INSIGHTS_ENABLED",
        "AML_APP_INSIGHTS_ENDPOINT",
        "AML_APP_INSIGHTS_KEY",
        "AML_APP_ROOT",
        "HOME",
        "HOSTNAME",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "LANG",
        "LC_ALL",
        "MSI_ENDPOINT",
        "MSI_SECRET",
        "PATH",
        "PWD",
        "USER",
    }
)
GIVEN_PREFIX = "AZUREML_"

# Paths of a person's own machine, or of a notebook's.
_FOREIGN = re.compile(
    r"[A-Za-z]:[\\/](?![\\/])[^\n]+"
    r"|/(home|Users|Volumes)/[^/\s]+/[^\n]+"
    r"|/(content/drive|content/sample_data|dbfs|kaggle)/[^\n]+"
)
_LOADING = re.compile(
    r"open|load|load_model|load_weights|read_(csv|excel|json|parquet|pickle)|imread|restore"
    r"|InferenceSession"
)
# What is done with a text that is not looked for as a file.
_NOT_LOOKED_FOR = frozenset(
    {
        "endswith",
        "get",
        "getenv",
        "makedirs",
        "mkdir",
        "replace",
        "setdefault",
        "split",
        "startswith",
    }
)
_ENVIRON = "os.environ"
# Calls that set a variable, or can do without it.
_CARING = frozenset({"get", "getenv", "setdefault", "update"})
_MISSED = frozenset({"KeyError", "LookupError"})
_DOCKER_ENV = re.compile(r"^\s*ENV\s+(.+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Use:
    """What a text is passed to: the name of what is called, and at which position."""

    call: str
    position: int = 0


@deployment_rule("pickle-main-class")
def pickle_main_class(subject: DeploymentSubject) -> Iterator[Told]:
    """Pickles that want a class of the program that made them."""
    if subject.spec.routes is not None or _fills_main(subject):
        return
    for path, model in subject.model_paths:
        for file in subject.files_of_model(model):
            names = classes_of_main(file)
            if names:
                wanted = ", ".join(names)
                yield Told(path, f"{file.name} wants {wanted} of the script that it was made by.")


@deployment_rule("absolute-path")
def absolute_path(subject: DeploymentSubject) -> Iterator[Told]:
    """Paths that the developer's machine has, or its working directory."""
    for file, tree in subject.reached.items():
        uses = _uses(tree)
        for node in running_nodes(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                message = _path_fault(subject, node.value, uses.get(node))
                if message:
                    yield Told((), message, document=_at(file, node))


@deployment_rule("missing-variable")
def missing_variable(subject: DeploymentSubject) -> Iterator[Told]:
    """Variables that the script cannot do without, and nothing sets."""
    modules = subject.reached
    if any(item.top == "dotenv" for file in modules for item in imports_of(file, modules[file])):
        return
    known = GIVEN_VARIABLES | subject.spec.environment_variables.keys() | _of_dockerfile(subject)
    known |= {name for tree in modules.values() for name in _cared_for(tree)}
    severity = Severity.INFO if _has_own_image(subject) else Severity.WARNING
    for file, tree in modules.items():
        for node in running_nodes(tree, _MISSED):
            name = _variable(node, tree, ast.Load)
            if name is not None and name not in known and not name.startswith(GIVEN_PREFIX):
                known |= {name}
                message = f"{name} is read from the environment, and the YAML does not set it."
                yield Told((), message, severity=severity, document=_at(file, node))


def _path_fault(subject: DeploymentSubject, text: str, use: Use | None) -> str | None:
    """What is wrong with a text as a path; None where nothing is, or where it is no path."""
    if use is not None and use.call in _NOT_LOOKED_FOR:
        return None
    if _FOREIGN.fullmatch(text):
        is_in_image = text.startswith("/") and _has_own_image(subject)
        return None if is_in_image else f"{text} is not there in the container."
    if _starts_from_here(text, use) and _means_model(subject, text):
        return f"{text} is looked for beside the script; the model lies below AZUREML_MODEL_DIR."
    return None


def _starts_from_here(text: str, use: Use | None) -> bool:
    """Whether a text is a path from the working directory."""
    if text.startswith(("./", "../")):
        return use is None or use.position == 0
    is_path = not text.startswith("/") and "://" not in text and "." in text
    return is_path and use is not None and use.position == 0 and bool(_LOADING.fullmatch(use.call))


def _means_model(subject: DeploymentSubject, text: str) -> bool:
    """Whether a relative path leads to a file of the model, and to none of the code folder."""
    code, script = subject.code, subject.script
    if code is None or script is None:
        return False
    meant = Path(os.path.normpath(script.parent / text))
    if meant.is_relative_to(code.path) and is_there(meant, "file or folder"):
        return False
    path = PurePosixPath(text)
    names = {file.name for file in subject.model_files}
    names |= {model.name for _, model in subject.model_paths}
    first = next((part for part in path.parts if part != ".."), "")
    is_models = first in {"model", "models"} and len(path.parts) > 1
    return path.name in names or is_models or text in {"./model", "./models"}


def _uses(tree: ast.AST) -> dict[ast.AST, Use]:
    """What the texts of a module are passed to; what is opened to be written is left out."""
    found: dict[ast.AST, Use] = {}
    for node in running_nodes(tree):
        if isinstance(node, ast.Call):
            name = "makedirs" if _writes(node) else called_name(node)
            found.update({item: Use(name, index) for index, item in enumerate(node.args)})
            found.update({item.value: Use(name) for item in node.keywords})
    return found


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(item.value for item in call.keywords if item.arg == "mode")]
    return called_name(call) == "open" and any(
        isinstance(mode, ast.Constant) and bool(set(str(mode.value)) & set("awx")) for mode in modes
    )


def _has_own_image(subject: DeploymentSubject) -> bool:
    """Whether the image is one that nothing here knows the content of."""
    environment = subject.spec.environment
    if environment is None:
        return False
    has_conda = environment.conda_file is not None or environment.conda is not None
    return not has_conda


def _of_dockerfile(subject: DeploymentSubject) -> set[str]:
    """The variables that the deployment's own Dockerfile sets."""
    content = dockerfile_of(subject.spec.environment)
    if content is None:
        return set()
    text = content.decode("utf-8", errors="replace")
    names: set[str] = set()
    for line in _DOCKER_ENV.findall(text.replace("\\\n", " ")):
        names |= set(re.findall(r"([A-Za-z_]\w*)=", line)) or {line.split()[0]}
    return names


def _cared_for(tree: ast.AST) -> Iterator[str]:
    """The variables that a module sets, or asks for before it reads them."""
    for node in running_nodes(tree):
        name = _variable(node, tree, ast.Store)
        if name is not None:
            yield name
        elif isinstance(node, ast.Compare) and _is_environ(node.comparators[0], tree):
            yield from _text(node.left)
        elif isinstance(node, ast.Call) and called_name(node) in _CARING:
            keys = [item.keys for item in node.args if isinstance(item, ast.Dict)]
            for item in [*node.args[:1], *(key for group in keys for key in group if key)]:
                yield from _text(item)


def _variable(node: ast.AST, tree: ast.AST, context: type[ast.expr_context]) -> str | None:
    """The variable of the environment that a node of a module reads, or sets."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, context):
        return None
    return next(_text(node.slice), None) if _is_environ(node.value, tree) else None


def _is_environ(node: ast.AST, tree: ast.AST) -> bool:
    """Whether an expression of a module is the environment, under the names that it may have."""
    name = dotted_name(node)
    return name == _ENVIRON or (name == "environ" and _imports_environ(tree))


def _imports_environ(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "os"
        and any(alias.name == "environ" for alias in node.names)
        for node in running_nodes(tree)
    )


def _text(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _fills_main(subject: DeploymentSubject) -> bool:
    """Whether the script puts classes where the pickle looks for them."""
    for file, tree in subject.reached.items():
        if any(item.top == "__main__" for item in imports_of(file, tree)):
            return True
        for node in running_nodes(tree):
            if isinstance(node, ast.Subscript) and dotted_name(node.value) == "sys.modules":
                return "__main__" in _text(node.slice)
    return False


def _at(file: Path, node: ast.expr | ast.AST) -> Document:
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    return place_in(file, line, column + 1)
