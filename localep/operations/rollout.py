"""Bringing a deployment up behind its gateway: start new, wait ready, switch, drain old."""

from __future__ import annotations

import posixpath
import secrets
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from threading import Event
from typing import TYPE_CHECKING, cast

from localep.engine.base import ContainerRequest, Mount
from localep.errors import DeploymentNotReady, EngineError, GpuRefused, LocalepError
from localep.gateway import runtime
from localep.gateway.config import what_opens
from localep.gateway.state import Backend, GatewayState, Readiness
from localep.interrupts import held_back
from localep.operations import layout
from localep.operations.container_plan import ContainerPlan, container_request, network_of
from localep.operations.failures.evidence import add_evidence, installed_in, version_warnings
from localep.operations.gpus.choice import with_gpus
from localep.operations.gpus.groups import groups_of
from localep.operations.names import CARRIER_ROLE, network_alias
from localep.operations.readiness import Patience, Probe, check_not_ended, wait_until_ready
from localep.operations.snapshot import files_below, reading
from localep.operations.start_time import start_warning

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localep.engine.gpu_request import GpuRequest
    from localep.operations.gateways import Gateway
    from localep.operations.workplace import Undo, Workplace


@dataclass(frozen=True)
class Started:
    """A deployment's containers, one an instance, that run and take no requests yet.

    ``begun`` is when each was started, in seconds of the monotonic clock.
    """

    plan: ContainerPlan
    containers: tuple[str, ...]
    revision: str
    begun: tuple[float, ...]

    @property
    def aliases(self) -> tuple[str, ...]:
        """The containers' names on the network."""
        numbers = range(1, len(self.containers) + 1)
        return tuple(network_alias(self.revision, number) for number in numbers)


def start_deployment(place: Workplace, plan: ContainerPlan) -> Started:
    """Create a deployment's containers, give them their code, and start them."""
    revision = secrets.token_hex(4)
    if plan.copies_model:
        _copy_model(place, plan, revision)
    network = network_of(place, plan.spec)
    if network != place.names.network:
        place.join_network(network)
    return with_gpus(place, plan.gpus, lambda gpus: _start_all(place, plan, revision, gpus))


def _start_all(
    place: Workplace, plan: ContainerPlan, revision: str, gpus: GpuRequest | None
) -> Started:
    """Start a revision's containers. Raises GpuRefused, with none of them left."""
    network = network_of(place, plan.spec)
    containers, begun = [], []
    groups = groups_of(place, gpus)
    for number in range(1, plan.instances + 1):
        request = container_request(place, plan, revision, number, gpus, groups)
        containers.append(place.create_container(request))
        if plan.snapshot is not None:
            plan.snapshot.archive.seek(0)
            place.engine.copy_in(containers[-1], "/", plan.snapshot.archive)
        begun.append(time.monotonic())
        try:
            place.start_container(containers[-1], network)
        except GpuRefused:
            for container in containers:
                place.engine.remove_container(container)
            raise
    return Started(plan, tuple(containers), revision, tuple(begun))


def take_over(
    place: Workplace,
    gateway: Gateway,
    started: Started,
    before: GatewayState,
    wanted: GatewayState,
    timeout: float,
    undo: Undo,
) -> GatewayState:
    """Wait for a started deployment, hand the requests to it, and remove the former one.

    ``before`` is the endpoint's state as it is; ``wanted`` has the documents and traffic that
    shall hold from now on; the state that then holds is returned. Raises DeploymentNotReady;
    the former deployment goes on as if nothing had been. ``undo`` is committed once the new one
    has taken over.
    """
    slot = runtime.other_slot(before.backend)
    if len(started.containers) > before.places:
        before = replace(before, places=len(started.containers))
        gateway.save(before)
        gateway.follow(before)
    wanted = replace(wanted, places=before.places)
    network = network_of(place, started.plan.spec)
    if network != place.names.network:
        place.connect_container(gateway.container, network)
    installed = partial(installed_in, place.engine, started.containers[0])
    try:
        seconds = _make_ready(place, gateway, started, before.probe_token, slot, timeout)
    except LocalepError as error:
        with suppress(EngineError):  # the first error is the one to tell
            gateway.send(runtime.release(slot, before.places))
            if isinstance(error, DeploymentNotReady):
                add_evidence(error, started.plan.spec, installed)
        raise
    succeeded = replace(wanted.operation, state="Succeeded")
    backend = backend_of(started.plan, started.revision, started.aliases, slot, seconds)
    changed = replace(wanted, backend=backend, operation=succeeded)
    statistics = ""
    try:
        # From the first request that the new one takes until the state is written, an
        # interrupt could leave neither of the two.
        with held_back():
            statistics = _switch(gateway, before, changed)
            undo.commit()
    finally:
        if undo.is_off:
            endpoint = started.plan.spec.endpoint_name
            _retire(place, gateway, before, changed, statistics, endpoint)
    warning = start_warning(started.plan.spec, seconds)
    if warning is not None:
        place.reporter.warn(warning)
    for warning in version_warnings(started.plan.spec, installed):
        place.reporter.warn(warning)
    return changed


def _make_ready(
    place: Workplace,
    gateway: Gateway,
    started: Started,
    probe_token: str,
    slot: str,
    timeout: float,
) -> float:
    """Wait until every server answers and the gateway knows where; none takes requests yet.

    How many seconds the slowest took from its container's start is returned.
    """
    script = _script_of(started.plan)
    targets = []
    for container, alias in zip(started.containers, started.aliases, strict=True):
        address = _address(place, container, network_of(place, started.plan.spec))
        if not address:
            check_not_ended(place.engine, container, script)
        targets.append(runtime.Target(alias, address))
    routes = started.plan.routes
    readiness = routes.readiness_route
    first = runtime.probe(targets[0].address, readiness.port)
    gateway.send([*runtime.prepare(slot, targets, readiness.port), *first])
    given_up = Event()
    slowest = 0.0
    patience = Patience(timeout)
    with ThreadPoolExecutor(1) as beside:
        try:
            port = routes.scoring_route.port
            known = beside.submit(gateway.wait_for_addresses, slot, targets, port, given_up)
            probe = Probe(gateway.address, probe_token, readiness)
            each = zip(started.containers, targets, started.begun, strict=True)
            for container, target, begun in each:
                if target is not targets[0]:
                    gateway.send(runtime.probe(target.address, readiness.port))
                wait_until_ready(place.engine, container, probe, patience, script)
                slowest = max(slowest, time.monotonic() - begun)
                place.engine.restart_always(container)
            known.result()
        finally:
            given_up.set()
    return slowest


def _switch(gateway: Gateway, before: GatewayState, changed: GatewayState) -> str:
    """Hand the requests over and write it down; HAProxy's settings and statistics just then."""
    try:
        commands = runtime.switch(changed, drains=before.backend is not None)
        questions = [*runtime.SHOW_SETTINGS, *runtime.SHOW_STATISTICS]
        # Whoever fails to switch writes the former state again, or leaves no endpoint at all.
        with ThreadPoolExecutor(1) as beside:
            saved = beside.submit(gateway.save, changed)
            answer = gateway.send([*commands, *questions])
            saved.result()
    except EngineError:
        slot = runtime.other_slot(before.backend)
        with suppress(EngineError):  # the first error is the one to tell
            gateway.send(runtime.take_back(before, slot))
        raise
    return answer


def _retire(
    place: Workplace,
    gateway: Gateway,
    before: GatewayState,
    changed: GatewayState,
    statistics: str,
    endpoint: str,
) -> None:
    """Let a deployment's containers answer what they have taken, then remove them.

    Only then HAProxy takes settings that it must load anew: what is under way would be out of
    sight after that. What does not work is told: the new deployment is at work all the same.
    """
    former = before.backend
    if former is not None:
        try:
            _remove_former(place, gateway, former, before.places, statistics)
        except EngineError as error:
            place.reporter.warn(_still_there(place, endpoint, former, error))
    try:
        gateway.follow(changed, statistics)
        if what_opens(before) != what_opens(changed):
            gateway.load_keys(changed)
    except EngineError as error:
        place.reporter.warn(
            "The new deployment takes the requests, but the gateway has not loaded all of its "
            f"settings: {error.said} It does as it starts: `docker restart "
            f"{place.names.gateway(endpoint)}`."
        )


def _remove_former(
    place: Workplace, gateway: Gateway, former: Backend, places: int, statistics: str
) -> None:
    """Drain a deployment and remove it. Raises EngineError."""
    try:
        if runtime.requests_in_flight(statistics, former.slot) != 0:
            gateway.drain(former.slot, former.request_timeout_ms)
    finally:
        with ThreadPoolExecutor(1) as beside:
            commands = runtime.release(former.slot, places)
            released = beside.submit(gateway.send, commands)
            remove_deployment(place, former.revision)
    released.result()


def _still_there(place: Workplace, endpoint: str, former: Backend, error: EngineError) -> str:
    """What to say of a former deployment that takes no requests any more, and is not gone."""
    left: list[str] = []
    with suppress(EngineError):  # the first error is the one to tell
        labels = place.names.labels(revision=former.revision)
        left = [container.name for container in place.engine.list_containers(labels)]
    by_hand = f", and so does `docker rm -f {' '.join(left)}`" if left else ""
    return (
        "The new deployment takes the requests, but the former one could not be removed, and may "
        f"go on holding memory: {error.said} `localep update -n {endpoint}` removes it, "
        f"even where nothing has changed{by_hand}."
    )


def remove_deployment(place: Workplace, revision: str) -> None:
    """Remove a revision's containers and, where it has one, the copy of its models."""
    labels = place.names.labels(revision=revision)
    for container in place.engine.list_containers(labels):
        place.engine.remove_container(container.identity)
    for volume in place.engine.list_volumes(labels):
        place.engine.remove_volume(volume)


def backend_of(
    plan: ContainerPlan,
    revision: str,
    aliases: tuple[str, ...],
    slot: str,
    start_seconds: float | None = None,
) -> Backend:
    """The gateway's view of a deployment that runs in containers."""
    settings = plan.spec.request_settings
    probe, route = plan.spec.readiness_probe, plan.routes.readiness_route
    return Backend(
        deployment=plan.spec.name,
        revision=revision,
        aliases=aliases,
        slot=slot,
        port=plan.routes.scoring_route.port,
        scoring_path=plan.routes.scoring_route.path,
        request_timeout_ms=settings.request_timeout_ms,
        max_concurrent_requests=settings.max_concurrent_requests_per_instance,
        max_queue_wait_ms=settings.max_queue_wait_ms,
        readiness=Readiness(
            port=route.port,
            path=route.path,
            period=probe.period,
            timeout=probe.timeout,
            success_threshold=probe.success_threshold,
            failure_threshold=probe.failure_threshold,
        ),
        start_seconds=start_seconds,
    )


def _address(place: Workplace, container: str, network: str) -> str:
    found = place.engine.inspect_container(container)
    return found.addresses.get(network, "") if found is not None else ""


def _copy_model(place: Workplace, plan: ContainerPlan, revision: str) -> None:
    """Put copies of the models into a volume, by way of a container that never runs."""
    places = layout.model_places(plan.spec)
    if not places:
        return
    endpoint = plan.spec.endpoint_name
    volume = place.names.model_volume(endpoint, revision)
    place.engine.create_volume(volume, place.labels(endpoint=endpoint, revision=revision))
    carrier = place.create_container(
        ContainerRequest(
            name=f"{volume}-carrier",
            image=plan.image.reference,
            command=("true",),
            labels=place.labels(role=CARRIER_ROLE, endpoint=endpoint),
            network=place.names.network,
            mounts=(Mount(volume, "/model", is_volume=True, read_only=False),),
        )
    )
    root = layout.models_folder(plan.spec)
    with tempfile.TemporaryFile() as archive:
        with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
            _pack_parents(tar, [posixpath.relpath(target, root) for target in places])
            for target, model in places.items():
                _pack(tar, cast("Path", model.path), posixpath.relpath(target, root))
        archive.seek(0)
        place.engine.copy_in(carrier, "/model", archive)
    place.engine.remove_container(carrier)


def _pack_parents(tar: tarfile.TarFile, names: Iterable[str]) -> None:
    """Add the folders that the names lie in, from the top down, open to every reader."""
    folders = {parent for name in names for parent in PurePosixPath(name).parents}
    for folder in sorted(folders - {PurePosixPath()}):
        member = tarfile.TarInfo(str(folder))
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(member)


def _pack(tar: tarfile.TarFile, path: Path, name: str) -> None:
    with reading(path, "Check its permissions."):
        tar.add(path, arcname=name, recursive=False)
        for file, below in files_below(path) if path.is_dir() else ():
            tar.add(file, arcname=f"{name}/{below}", recursive=False)


def _script_of(plan: ContainerPlan) -> str | None:
    """The scoring script's name, None where the server is not the inference server."""
    code = plan.spec.code
    is_known = plan.spec.routes is None or plan.image.has_own_server
    return code.scoring_script if code is not None and is_known else None
