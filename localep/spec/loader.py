"""From the files on the command line to one endpoint and at most one deployment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from localep.errors import EndpointConflict, SpecError, UsageError
from localep.spec import april2021, ga, may2021, november2021
from localep.spec.common import NAME_RULE, is_name
from localep.spec.documents import Document, read_document
from localep.spec.findings import Finding, Findings
from localep.spec.generations import Generation, generation_of
from localep.spec.model import LOG_LEVEL_VARIABLE
from localep.spec.overrides import apply_overrides, kind_of, parse_override
from localep.spec.placeholders import left_in, remedy_for
from localep.spec.references import short_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from localep.spec.model import DeploymentSpec, EndpointSpec


_ENDPOINT_READERS = {
    Generation.TODAY: ga.read_endpoint,
    Generation.NOVEMBER_2021: ga.read_endpoint,
    Generation.MAY_2021: may2021.read_endpoint,
    Generation.APRIL_2021: april2021.read_endpoint,
}
_DEPLOYMENT_READERS = {
    Generation.TODAY: ga.read_deployment,
    Generation.NOVEMBER_2021: november2021.read_deployment,
    Generation.MAY_2021: may2021.read_deployment,
    Generation.APRIL_2021: april2021.read_deployment,
}


@dataclass(frozen=True)
class Bundle:
    """What the documents of one command say.

    ``endpoint`` is None where only a deployment was given; ``documents`` are the documents with
    every override applied, so that the bundle can be read again from them. ``script_faults``
    are what no server can run of the scoring script, where somebody has looked at it.
    """

    endpoint: EndpointSpec | None
    deployment: DeploymentSpec | None
    documents: tuple[Document, ...]
    warnings: tuple[Finding, ...] = ()
    script_faults: tuple[Finding, ...] = ()

    @property
    def endpoint_name(self) -> str:
        """The endpoint that the documents speak of."""
        if self.endpoint is not None:
            return self.endpoint.name
        if self.deployment is not None:
            return self.deployment.endpoint_name
        raise SpecError(
            "The documents hold neither an endpoint nor a deployment.",
            remedy="Name the YAML of one of them with -f.",
        )


@dataclass(frozen=True)
class Selection:
    """What the command line adds to the documents.

    ``endpoint`` names the endpoint whatever the documents say; ``deployment`` picks one of
    several deployments, or names the only one; ``log_level`` is the one from which on the
    scripts' records are shown; ``variables`` fill placeholders before anything is read;
    ``models`` are registered models that take the place of the documents'.
    """

    endpoint: str | None = None
    deployment: str | None = None
    overrides: tuple[str, ...] = ()
    log_level: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """All that documents hold, and all that was found in them.

    ``documents`` have every override applied.
    """

    endpoints: tuple[EndpointSpec, ...]
    deployments: tuple[DeploymentSpec, ...]
    documents: tuple[Document, ...]
    findings: Findings


def bundle_of(reading: Reading, selection: Selection) -> Bundle:
    """One endpoint and at most one deployment out of what was read.

    Raises SpecError where something in it is wrong, UsageError or EndpointConflict where there
    is not one of each.
    """
    reading.findings.raise_errors()
    endpoint = _the_endpoint(reading.endpoints)
    deployment = _the_deployment(reading.deployments, selection.deployment)
    if endpoint is not None and deployment is not None:
        _check_belongs(endpoint, deployment)
    kept = tuple(_with_chosen(document, selection.deployment) for document in reading.documents)
    return Bundle(endpoint, deployment, kept, reading.findings.warnings)


def read_files(files: Sequence[Path], selection: Selection = Selection()) -> Reading:
    """Like read_documents, of files."""
    documents = [read_document(file, variables=selection.variables) for file in files]
    return read_documents(documents, selection)


def read_documents(documents: Sequence[Document], selection: Selection = Selection()) -> Reading:
    """Read any number of documents and gather what is wrong; nothing has to fit together.

    Raises UsageError where the command line itself is wrong, SpecError for a document of
    another kind.
    """
    _check_name(selection.endpoint)
    overrides = [parse_override(text) for text in selection.overrides]
    named = [_with_names(document, selection) for document in apply_overrides(documents, overrides)]
    findings = Findings()
    endpoints: list[EndpointSpec] = []
    deployments: list[DeploymentSpec] = []
    for document in named:
        refuse_other_kinds(document)
        _warn_of_duplicates(document, findings)
        _warn_of_placeholders(document, findings)
        endpoint, several = _read(document, findings, selection.deployment)
        endpoints += [] if endpoint is None else [endpoint]
        deployments += several
    return Reading(tuple(endpoints), tuple(deployments), tuple(named), findings)


def _read(
    document: Document, findings: Findings, wanted: str | None
) -> tuple[EndpointSpec | None, list[DeploymentSpec]]:
    """What one document holds, whatever its generation."""
    generation = generation_of(document.data)
    kind = kind_of(document)
    if generation is not Generation.TODAY:
        findings.warning(
            document,
            (),
            "old-generation",
            f"The document is of the {generation.value}; today's cloud refuses it.",
            "`localep upgrade -f FILE` writes it as the cloud reads it today.",
        )
    if kind == "combined":
        is_april = isinstance(document.data["deployments"], dict)
        read = april2021.read_combined if is_april else may2021.read_combined
        return read(document, findings, wanted)
    if kind == "endpoint":
        return _ENDPOINT_READERS[generation](document, findings), []
    deployment = _DEPLOYMENT_READERS[generation](document, findings)
    return None, [] if deployment is None else [deployment]


def _check_name(endpoint: str | None) -> None:
    if endpoint is not None and not is_name(endpoint):
        raise UsageError(
            f"No endpoint can be named {endpoint!r}.",
            cause="The name given with -n is not one that the cloud takes.",
            remedy=NAME_RULE,
        )


def _with_names(document: Document, selection: Selection) -> Document:
    data = dict(document.data)
    kind = kind_of(document)
    if selection.endpoint is not None:
        data["endpoint_name" if kind == "deployment" else "name"] = selection.endpoint
    if selection.deployment is not None and kind == "deployment":
        data.setdefault("name", selection.deployment)
    level, models = selection.log_level, selection.models
    if level is not None:
        _change_deployments(data, kind, lambda item: _with_log_level(item, level))
    if models:
        _change_deployments(data, kind, lambda item: _with_models(item, models))
    return replace(document, data=data)


def _with_log_level(deployment: dict[str, Any], level: str) -> dict[str, Any]:
    variables = deployment.get("environment_variables") or {}
    if not isinstance(variables, dict):  # told where it is read
        return deployment
    return {**deployment, "environment_variables": {**variables, LOG_LEVEL_VARIABLE: level}}


def _with_models(deployment: dict[str, Any], references: Sequence[str]) -> dict[str, Any]:
    """One registered model in the place of the document's, or several beside each other."""
    others = {key: value for key, value in deployment.items() if key not in {"model", "models"}}
    if len(references) == 1:
        return {**others, "model": references[0]}
    return {**others, "models": [_named_model(reference) for reference in references]}


def _named_model(reference: str) -> dict[str, str]:
    named = short_name(reference)
    if named is None:
        raise UsageError(
            f"--model {reference} names no registered model.",
            remedy="Write azureml:NAME:VERSION; `localep model list` tells what is registered.",
        )
    return {**named, "path": reference}


def _change_deployments(
    data: dict[str, Any], kind: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Change every deployment of a document, whatever holds them."""
    if kind == "deployment":
        changed = dict(change(data))
        data.clear()
        data.update(changed)
        return
    deployments = data.get("deployments")
    if isinstance(deployments, list):
        data["deployments"] = [
            change(item) if isinstance(item, dict) else item for item in deployments
        ]
    elif isinstance(deployments, dict):
        data["deployments"] = {
            name: change(item) if isinstance(item, dict) else item
            for name, item in deployments.items()
        }


def _with_chosen(document: Document, wanted: str | None) -> Document:
    """A combined document with the wanted deployment alone, to be read again without a choice."""
    if wanted is None or kind_of(document) != "combined":
        return document
    deployments = document.data["deployments"]
    if isinstance(deployments, dict):
        fitting: object = {wanted: deployments[wanted]} if wanted in deployments else {}
    else:
        fitting = [item for item in deployments if item.get("name") == wanted]
    return replace(document, data={**document.data, "deployments": fitting})


def refuse_other_kinds(document: Document) -> None:
    """Raise SpecError for the document of a batch endpoint or a job."""
    schema = str(document.data.get("$schema", ""))
    kind = str(document.data.get("type", ""))
    if "batch" in schema.lower() or kind in {"batch", "command", "pipeline", "sweep"}:
        raise SpecError(
            f"{document.source} is not an online endpoint or deployment.",
            cause="Its `$schema` or `type` names another kind of document.",
            remedy="Give the YAML of an online endpoint or deployment.",
            code="other-kind",
        )


def _warn_of_duplicates(document: Document, findings: Findings) -> None:
    for path in document.duplicates:
        findings.warning(document, path, "duplicate-key", "is given twice; the last one counts.")


def _warn_of_placeholders(document: Document, findings: Findings) -> None:
    for path, placeholder in left_in(document.data):
        findings.warning(
            document,
            path,
            "placeholder-left",
            f"{placeholder} looks like a placeholder that was not filled in.",
            remedy_for(placeholder),
        )


def _the_endpoint(endpoints: Sequence[EndpointSpec]) -> EndpointSpec | None:
    if len(endpoints) > 1:
        raise UsageError(
            "The files hold more than one endpoint.",
            cause=f"They name {', '.join(endpoint.name for endpoint in endpoints)}.",
            remedy="Give one endpoint a command.",
        )
    return endpoints[0] if endpoints else None


def _the_deployment(
    deployments: Sequence[DeploymentSpec], wanted: str | None
) -> DeploymentSpec | None:
    names = ", ".join(deployment.name for deployment in deployments)
    if wanted is not None:
        for deployment in deployments:
            if deployment.name == wanted:
                return deployment
        if deployments:
            raise EndpointConflict(
                f"The documents have no deployment {wanted}.",
                cause=f"They name {names}.",
                remedy="Choose one of these with --deployment.",
            )
        return None
    if len(deployments) > 1:
        raise UsageError(
            "The documents hold several deployments.",
            cause=f"They name {names}; a local endpoint runs one.",
            remedy=f"Choose one of them: --deployment {deployments[0].name}.",
        )
    return deployments[0] if deployments else None


def _check_belongs(endpoint: EndpointSpec, deployment: DeploymentSpec) -> None:
    if endpoint.name != deployment.endpoint_name:
        raise SpecError(
            f"Deployment {deployment.name} belongs to another endpoint.",
            cause=f"Its endpoint_name is {deployment.endpoint_name}; "
            f"the endpoint's document is named {endpoint.name}.",
            remedy="Correct one of the names, or name both with -n.",
        )
