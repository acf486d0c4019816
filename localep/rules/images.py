"""Rules for what an image's manifest and its size tell; an engine or a registry has to be asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.rules.image_facts import CLOUD_PLATFORM, Answer
from localep.rules.rule import Told, deployment_rule
from localep.rules.subject import dockerfile_of
from localep.spec.findings import Severity
from localep.spec.instance_types import find_instance_type
from localep.spec.temporary_disks import temporary_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.rules.image_facts import ImageFacts
    from localep.rules.subject import DeploymentSubject
    from localep.spec.documents import KeyPath

_GIB = 1024**3
_IMAGE = ("environment", "image")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$", re.I | re.M)


@deployment_rule("image-architecture")
def image_architecture(subject: DeploymentSubject) -> Iterator[Told]:
    """An image that is for other processors than the cloud's."""
    for path, image, facts in _images(subject):
        if facts.platforms and CLOUD_PLATFORM not in facts.platforms:
            is_for = " and ".join(facts.platforms)
            yield Told(path, f"{image} is for {is_for}, and the cloud runs {CLOUD_PLATFORM}.")


@deployment_rule("base-image-not-found")
def base_image_not_found(subject: DeploymentSubject) -> Iterator[Told]:
    """An image that its registry does not have."""
    for path, image, facts in _images(subject):
        if facts.registry is Answer.MISSING and facts.size is None:
            yield Told(path, f"its registry has no image {image}.")


@deployment_rule("image-local-only")
def image_local_only(subject: DeploymentSubject) -> Iterator[Told]:
    """An image that is here, and that its registry does not have."""
    for path, image, facts in _images(subject):
        if facts.registry is Answer.MISSING and facts.size is not None:
            yield Told(path, f"{image} is in this machine's engine, and its registry has none.")


@deployment_rule("registry-private")
def registry_private(subject: DeploymentSubject) -> Iterator[Told]:
    """An image whose registry lets nobody in without a login."""
    for path, image, facts in _images(subject):
        if facts.registry is Answer.LOGIN:
            message = f"the registry of {image} asks for a login."
            yield Told(path, message, severity=Severity.INFO)


@deployment_rule("disk-too-small")
def disk_too_small(subject: DeploymentSubject) -> Iterator[Told]:
    """An image and models that the temporary disk of the instance type has no room for."""
    name = subject.spec.instance_type
    size = find_instance_type(name) if name else None
    disk = temporary_disk(size.name) if size is not None else None
    if size is None or disk is None or subject.is_kubernetes:
        return
    models = sum(file.stat().st_size for file in subject.model_files)
    images = sum(facts.size or 0 for _, _, facts in _images(subject))
    if models + images <= disk * _GIB:
        return
    parts = [("the image", images), ("the model", models)]
    told = " and ".join(f"{what} ({part / _GIB:.1f} GiB)" for what, part in parts if part)
    verb = "take" if models and images else "takes"
    message = f"{told} {verb} more than the {disk} GiB of the temporary disk of {size.name}."
    yield Told(("instance_type",), message)


def _images(subject: DeploymentSubject) -> Iterator[tuple[KeyPath, str, ImageFacts]]:
    """The images of the environment that something is known of."""
    if subject.look_up_image is None:
        return
    for path, image in _named(subject):
        facts = subject.look_up_image(image)
        if facts is not None:
            yield path, image, facts


def _named(subject: DeploymentSubject) -> Iterator[tuple[KeyPath, str]]:
    """Every image that the environment names: its own, or those of its Dockerfile."""
    environment = subject.spec.environment
    if environment is None:
        return
    if environment.image is not None:
        yield _IMAGE, environment.image
    dockerfile = dockerfile_of(environment) or b""
    stages = {"scratch"}
    for name, stage in _FROM.findall(dockerfile.decode("utf-8", errors="replace")):
        if name.lower() not in stages and "$" not in name:
            yield ("environment", "build"), name
        stages.add(stage.lower())
