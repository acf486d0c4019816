"""Rules for the start of the container: the scoring script, its imports, the model's server."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import TYPE_CHECKING

from localep.environment.requirements import INFERENCE_SERVER
from localep.rules.code_folder import MAX_SCRIPT_BYTES, content_of
from localep.rules.entry_points import faults_of
from localep.rules.pythons import is_for_newer_python, is_for_no_newer_python, takes_python
from localep.rules.rule import Told, deployment_rule
from localep.rules.scripts import (
    files_of,
    holds_module,
    imports_of,
    place_in,
    running_nodes,
)
from localep.spec.findings import Severity
from localep.spec.instance_types import find_instance_type
from localep.spec.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from localep.rules.package_lists import Entry, PackageList
    from localep.rules.scripts import Import
    from localep.rules.subject import DeploymentSubject

CONTRIB = "azureml-contrib-services"
MONITORING = "azureml-ai-monitoring"
# The two modules that the server makes up itself, and only for imports that name them in full.
_MADE_UP = frozenset(
    {"azureml.contrib.services.aml_request", "azureml.contrib.services.aml_response"}
)
_SERVERS_SINCE = ("1.4.0", "1.4.1", "1.5.0", "1.5.1", "1.99")
# What they run on.
_SERVER_1_4 = _MLFLOW_3 = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

# Lines that Python 3.12 and 3.14 take and their forerunners do not.
_NEWER_SYNTAX = re.compile(
    r"""\b[rR]?[fFtT][rR]?["']|^\s*type\s+\w|\b(def|class)\s+\w+\[|^\s*except\b.*,"""
)

_SUPPORT = "-support"
_OF_INDEX = re.compile(r"-i\b|-f\b|--(extra-)?index-url|--find-links|--trusted-host|--pre\b")

_GPU_PACKAGE = re.compile(
    r"cudatoolkit|cudnn|cupy(-cuda\w+)?|faiss-gpu|nvidia-.*|onnxruntime-gpu|pytorch-(cuda|gpu)"
    r"|tensorflow-gpu"
)
_CUDA = re.compile(r"cuda(:\d+)?")
_ASKS = frozenset({"device_count", "is_available", "is_built_with_cuda", "list_physical_devices"})

_SHELL_SUFFIXES = frozenset({"", ".bash", ".sh"})
_FIRST_BYTES = 256


@deployment_rule("syntax-error")
def syntax_error(subject: DeploymentSubject) -> Iterator[Told]:
    """A scoring script, or a module that it imports, which Python cannot read."""
    code, script = subject.code, subject.script
    if code is None or script is None or subject.spec.routes is not None:
        return
    is_newer = is_for_newer_python(subject.packages)
    # What this Python refuses, no older one takes; helpers may be imported in vain.
    is_certain = is_for_no_newer_python(subject.packages)
    for file in dict.fromkeys([script, *_imported_files(subject)]):
        error = _error_in(file) if code.tree(file) is None else None
        if error is not None and not (is_newer and _NEWER_SYNTAX.search(error.text or "")):
            place = place_in(file, error.lineno or 1, error.offset or 1)
            message = f"{file.name} is not valid Python: {error.msg}."
            severity = Severity.ERROR if is_certain and file == script else Severity.WARNING
            yield Told((), message, severity=severity, document=place)


@deployment_rule("init-or-run-missing")
def init_or_run_missing(subject: DeploymentSubject) -> Iterator[Told]:
    """A scoring script without what the server calls, or with it in another shape."""
    script, tree = subject.script, subject.script_tree
    if script is None or tree is None or subject.spec.routes is not None:
        return
    for fault in faults_of(tree):
        severity = Severity.ERROR if fault.is_certain else Severity.WARNING
        place = place_in(script, fault.line, fault.column)
        yield Told((), fault.message, severity=severity, document=place)


@deployment_rule("import-error")
def import_error(subject: DeploymentSubject) -> Iterator[Told]:
    """Imports of well-known packages that the conda file neither asks for nor gets."""
    packages = subject.packages
    if packages is None or packages.is_of_model or subject.spec.routes is not None:
        return
    from localep.rules.known_packages import known_packages

    known = known_packages()
    if not known.are_all_known(packages.names) or _brings_more(packages):
        return
    there = known.with_brought(packages.names | _of_extras(packages))
    told: set[str] = set()
    for item in _imports(subject):
        holders = known.holders(item.name)
        if not holders or there.intersection(holders) or holders[0] in told:
            continue
        told.add(holders[0])
        message = f"{item.top} is imported, and the conda file asks for no {holders[0]}."
        remedy = f"Add {holders[0]} to the list under `pip:`."
        yield Told((), message, remedy, document=place_in(item.file, item.line, item.column))


@deployment_rule("contrib-missing")
def contrib_missing(subject: DeploymentSubject) -> Iterator[Told]:
    """azureml.contrib as a script or an older server wants it, and nothing that has it."""
    packages = subject.packages
    if packages is None or CONTRIB in packages.names or subject.spec.routes is not None:
        return
    if _has_old_server(packages):
        monitoring = packages.entries(MONITORING)
        if monitoring:
            message = f"servers before 1.4 want {CONTRIB} beside {MONITORING}."
            yield packages.told(monitoring[0].path, message)
        return
    if "azureml-defaults" in packages.names:  # which asks for a server of its own choice
        return
    for file, tree in subject.reached.items():
        for node in running_nodes(tree, {"ImportError", "ModuleNotFoundError"}):
            if _wants_contrib(node):
                line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
                message = f"azureml.contrib is imported, and the conda file asks for no {CONTRIB}."
                yield Told((), message, document=place_in(file, line, column))
                return


@deployment_rule("mlflow-monitoring-missing")
def mlflow_monitoring_missing(subject: DeploymentSubject) -> Iterator[Told]:
    """An MLflow model without the package that the cloud's own script imports."""
    packages = subject.packages
    if packages is not None and packages.is_of_model and MONITORING not in packages.names:
        message = (
            f"{MONITORING} is missing: the model runs here, but the script that the cloud writes "
            "for it imports azureml.ai."
        )
        yield packages.told(packages.pip_path if packages.pip_lines else (), message)


@deployment_rule("mlflow3")
def mlflow3(subject: DeploymentSubject) -> Iterator[Told]:
    """An MLflow model whose own packages may have an MLflow that the cloud's image has not."""
    packages = subject.packages
    if packages is None or not packages.is_of_model or not takes_python(packages, _MLFLOW_3):
        return
    for entry in (*packages.entries("mlflow"), *packages.entries("mlflow-skinny")):
        if entry.admits_any(("3.0.0", "3.6.0", "3.7.0", "3.99")) or _is_exactly(entry, "3"):
            yield packages.told(entry.path, f"{entry.text} lets MLflow 3 in.")
            return


@deployment_rule("gpu-absent")
def gpu_absent(subject: DeploymentSubject) -> Iterator[Told]:
    """A script or packages for GPUs, on an instance type that has none."""
    name = subject.spec.instance_type
    kind = find_instance_type(name) if name is not None else None
    if kind is None or kind.gpus or subject.is_kubernetes or subject.spec.routes is not None:
        return
    for file, tree in subject.reached.items():
        node = _first_use_of_cuda(tree)
        if node is not None:
            line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
            message = f"cuda is used without asking whether it is there; {kind.name} has no GPU."
            yield Told((), message, document=place_in(file, line, column))
            return
    packages = subject.packages
    for entry in packages.packages if packages else ():
        if _GPU_PACKAGE.fullmatch(entry.name) or "+cu" in entry.constraint:
            message = f"{entry.text} is made for GPUs, and {kind.name} has none."
            assert packages is not None  # noqa: S101 - it has this entry
            yield packages.told(entry.path, message, severity=Severity.INFO)
            return


@deployment_rule("crlf-script")
def crlf_script(subject: DeploymentSubject) -> Iterator[Told]:
    """Programs whose first line ends with a carriage return."""
    for file in _shell_scripts(subject):
        if _begins_with_carriage_return(file):
            message = f"{file.name} begins with a line that ends as on Windows."
            yield Told((), message, document=place_in(file, 1))


def _imported_files(subject: DeploymentSubject) -> list[Path]:
    """The files that the script and what it reaches import, those included that are no Python."""
    script = subject.script
    assert script is not None  # noqa: S101 - asked for by the caller
    found: list[Path] = []
    for file, tree in subject.reached.items():
        for item in imports_of(file, tree):
            found += files_of(item, script.parent)
    return found


def _imports(subject: DeploymentSubject) -> Iterator[Import]:
    """The imports that the files do not answer themselves, nor the folders above the code."""
    code, script = subject.code, subject.script
    if code is None or script is None:
        return
    folders = [script.parent, code.path, code.path.parent]
    for file, tree in subject.reached.items():
        for item in imports_of(file, tree):
            is_own = item.level or any(holds_module(folder, item.top) for folder in folders)
            if not is_own and item.top not in sys.stdlib_module_names:
                yield item


def _error_in(file: Path) -> SyntaxError | None:
    """What is wrong with a module, None where it can be read or it is too much to look at."""
    try:
        if file.stat().st_size <= MAX_SCRIPT_BYTES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the user's code
                ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        return error
    except ValueError as error:  # null bytes, to some releases of Python
        return SyntaxError(str(error))
    except (OSError, RecursionError, MemoryError):
        return None
    return None


def _brings_more(packages: PackageList) -> bool:
    """Whether something of the list brings what its name does not tell."""
    extras = [extra for entry in packages.packages for extra in entry.extras]
    if not all(extra.endswith(_SUPPORT) for extra in extras):
        return True
    named = {entry.path for entry in packages.pip}
    lines = [line for path, line in packages.pip_lines if path not in named or "://" in line]
    return not all(_OF_INDEX.match(line) for line in lines)


def _of_extras(packages: PackageList) -> frozenset[str]:
    """What extras such as inference-schema's numpy-support bring."""
    names = [extra for entry in packages.packages for extra in entry.extras]
    return frozenset(name.removesuffix(_SUPPORT) for name in names)


def _has_old_server(packages: PackageList) -> bool:
    """Whether the server that is installed is one before 1.4, by its pin or by its Python.

    For a model without code that does not name it the cloud takes the newest that there is.
    """
    is_held_back = not takes_python(packages, _SERVER_1_4)
    servers = packages.entries(INFERENCE_SERVER)
    if not servers:
        return is_held_back and packages.is_of_model
    is_pinned = not servers[0].admits_any(_SERVERS_SINCE)
    return is_pinned or is_held_back


def _wants_contrib(node: ast.AST) -> bool:
    """Whether an import of azureml.contrib asks for more than what the server makes up."""
    if isinstance(node, ast.Import):
        return any(_is_contrib(alias.name) for alias in node.names)
    if isinstance(node, ast.ImportFrom) and not node.level:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return node.module not in _MADE_UP and any(_is_contrib(name) for name in names)
    return False


def _is_contrib(name: str) -> bool:
    return f"{name}.".startswith("azureml.contrib.services.")


def _is_exactly(entry: Entry, major: str) -> bool:
    """Whether one release of a major version is asked for, whichever that is."""
    return re.fullmatch(rf"={{2,3}}\s*{major}(\.\w+)*(\.\*)?", entry.constraint) is not None


def _first_use_of_cuda(tree: ast.Module) -> ast.AST | None:
    """Where a module first counts on CUDA; None where it asks for it anywhere."""
    first: ast.AST | None = None
    for node in running_nodes(tree):
        if isinstance(node, (ast.Attribute, ast.Name)):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in _ASKS:
                return None
        if first is None and _uses_cuda(node):
            first = node
    return first


def _uses_cuda(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr == "cuda":
        return True
    values: Iterable[ast.expr] = [*node.args, *(keyword.value for keyword in node.keywords)]
    return any(
        isinstance(value, ast.Constant)
        and isinstance(value.value, str)
        and _CUDA.fullmatch(value.value) is not None
        for value in values
    )


def _shell_scripts(subject: DeploymentSubject) -> list[Path]:
    """The files that look like programs of a shell: of the code, and of a Dockerfile's folder."""
    files = list(subject.code.files) if subject.code is not None else []
    environment = subject.spec.environment
    build = environment.build if environment is not None else None
    if build is not None and is_there(build.path, "folder"):
        files += content_of(build.path).files
    return [file for file in dict.fromkeys(files) if file.suffix in _SHELL_SUFFIXES]


def _begins_with_carriage_return(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            start = stream.read(_FIRST_BYTES)
    except OSError:
        return False
    return start.startswith(b"#!") and start.partition(b"\n")[0].endswith(b"\r")
