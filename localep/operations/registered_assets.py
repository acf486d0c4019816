"""References in documents, filled in from the local registry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from localep.registry.assets import Asset, Kind
from localep.registry.references import register_command, resolve
from localep.registry.store import store_of_user
from localep.spec import ga_assets, parts2021
from localep.spec.documents import Document
from localep.spec.fields import Fields
from localep.spec.findings import Findings
from localep.spec.model import ModelSpec
from localep.spec.parts2021 import MAY_2021

if TYPE_CHECKING:
    from localep.spec.documents import KeyPath
    from localep.spec.loader import Reading
    from localep.spec.model import DeploymentSpec, EnvironmentSpec, Origin

_REFERENCE = "cloud-reference"


def fill_in(reading: Reading) -> Reading:
    """What was read, with every registered model and environment in the place of its reference.

    What is not registered stays a finding, which shows the command that registers it. Raises
    UsageError where the registry cannot be read.
    """
    if all(finding.code != _REFERENCE for finding in reading.findings.items):
        return reading
    desk = _Desk(Findings(list(reading.findings.items)))
    deployments = tuple(_filled(deployment, desk) for deployment in reading.deployments)
    return replace(reading, deployments=deployments, findings=desk.findings)


def read_environment_document(document: Document, findings: Findings) -> EnvironmentSpec:
    """An environment's document by its own form, whatever the generation of the deployment."""
    base = ("environment",)
    if is_of_2021(document):
        fields = Fields(document, findings, generation=MAY_2021.generation, base=base)
        return parts2021.environment_section(fields, MAY_2021)
    return ga_assets.environment_section(Fields(document, findings, base=base))


def is_of_2021(document: Document) -> bool:
    """Whether an environment's document has the form that it had first."""
    return "docker" in document.data


@dataclass(frozen=True)
class _Desk:
    """Where references are looked up, and what was found so far."""

    findings: Findings

    def asset(self, kind: Kind, origin: Origin, path: KeyPath, text: str) -> Asset | None:
        """The asset that a place of a document names; the finding of the place goes or changes."""
        asset = resolve(store_of_user(), kind, text)
        where = ".".join(str(part) for part in (*origin.path, *path))
        kept = []
        for finding in self.findings.items:
            place = finding.place
            if (
                finding.code != _REFERENCE
                or place is None
                or (place.source, place.path) != (origin.document.source, where)
            ):
                kept.append(finding)
            elif asset is None:
                message = f"{where}: {text} is not in the local registry."
                remedy = f"Register it: `{register_command(kind, text)}`."
                kept.append(replace(finding, message=message, remedy=remedy))
        self.findings.items[:] = kept
        if asset is not None and kind is Kind.MODEL:
            self._tell_missing(asset, origin, path)
        return asset

    def _tell_missing(self, asset: Asset, origin: Origin, path: KeyPath) -> None:
        for missing in asset.missing:
            command = f"localep model delete -n {asset.name} -v {asset.version}"
            self.findings.absent(
                origin.document,
                (*origin.path, *path),
                "missing-local-path",
                f"{asset.reference} is registered as {missing}, where nothing is any more.",
                f"Put it back, or say `{command}` and register it anew.",
            )


def _filled(deployment: DeploymentSpec, desk: _Desk) -> DeploymentSpec:
    origin = deployment.origin
    if origin is None:
        return deployment
    model, environment = deployment.model, deployment.environment
    if model is not None and model.reference is not None:
        asset = desk.asset(Kind.MODEL, origin, ("model",), model.reference)
        model = model if asset is None else _model(asset)
    if environment is not None and environment.reference is not None:
        asset = desk.asset(Kind.ENVIRONMENT, origin, ("environment",), environment.reference)
        environment = environment if asset is None else _environment(asset, desk.findings)
    models = tuple(
        _one_of_several(item, index, origin, desk) for index, item in enumerate(deployment.models)
    )
    return replace(deployment, model=model, models=models, environment=environment)


def _one_of_several(model: ModelSpec, index: int, origin: Origin, desk: _Desk) -> ModelSpec:
    """An entry of `models`, whose `path` may be a reference; its own name and version count."""
    path = ("models", index, "path")
    text = _value(origin, path)
    if model.path is not None or not isinstance(text, str):
        return model
    asset = desk.asset(Kind.MODEL, origin, path, text)
    if asset is None:
        return model
    filled = _model(asset)
    return replace(filled, name=model.name or filled.name, version=model.version or filled.version)


def _model(asset: Asset) -> ModelSpec:
    return ModelSpec(asset.content.path, None, asset.name, asset.version, asset.content.type)


def _environment(asset: Asset, findings: Findings) -> EnvironmentSpec:
    document = Document(asset.file, asset.content.document or {})
    spec = read_environment_document(document, findings)
    # A name is for what the deployment spells out; this environment has one that is its own.
    return replace(spec, name=None, version=None)


def _value(origin: Origin, path: KeyPath) -> object:
    value: Any = origin.document.data
    try:
        for step in (*origin.path, *path):
            value = value[step]
    except (KeyError, IndexError, TypeError):
        return None
    return value
