"""Bringing a deployment up behind its gateway: start new, wait ready, switch, drain old."""

from __future__ import annotations

import posixpath
import secrets
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from threading import Event
from typing import TYPE_CHECKING, cast

from localep.engine.base import ContainerRequest, Mount
from localep.errors import EngineError, LocalepError
from localep.gateway import runtime
from localep.gateway.state import Backend, GatewayState
from localep.interrupts import held_back
from localep.operations import layout, names
from localep.operations.container_plan import ContainerPlan, container_request
from localep.operations.names import CARRIER_ROLE, network_alias
from localep.operations.readiness import Probe, check_not_ended, wait_until_ready
from localep.operations.snapshot import files_below, reading

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localep.operations.gateways import Gateway
    from localep.operations.workplace import Undo, Workplace


@dataclass(frozen=True)
class Started:
    """A deployment's container that runs and takes no requests yet."""

    plan: ContainerPlan
    container: str
    revision: str


def start_deployment(place: Workplace, plan: ContainerPlan) -> Started:
    """Create a deployment's container, give it its code, and start it."""
    revision = secrets.token_hex(4)
    if plan.copies_model:
        _copy_model(place, plan, revision)
    container = place.create_container(container_request(place, plan, revision))
    if plan.snapshot is not None:
        place.engine.copy_in(container, "/", plan.snapshot.archive)
    place.start_container(container)
    return Started(plan, container, revision)


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
    alias = network_alias(started.revision)
    try:
        _make_ready(place, gateway, started, before.probe_token, slot, timeout)
    except LocalepError:
        with suppress(EngineError):  # the first error is the one to tell
            gateway.send(runtime.release(slot))
        raise
    succeeded = replace(wanted.operation, state="Succeeded")
    backend = backend_of(started.plan, started.container, alias, slot)
    changed = replace(wanted, backend=backend, operation=succeeded)
    statistics = ""
    try:
        # From the first request that the new one takes until the state is written, an
        # interrupt could leave neither of the two.
        with held_back():
            statistics = _switch(gateway, before, changed)
            undo.commit()
    finally:
        if undo.is_off and before.backend is not None:
            _retire(place, gateway, before.backend, statistics)
    return changed


def _make_ready(
    place: Workplace,
    gateway: Gateway,
    started: Started,
    probe_token: str,
    slot: str,
    timeout: float,
) -> None:
    """Wait until the server answers and the gateway knows where; takes no requests yet."""
    container = started.container
    script = _script_of(started.plan)
    address = _address(place, container)
    if not address:
        check_not_ended(place.engine, container, script)
    alias = network_alias(started.revision)
    routes = started.plan.routes
    gateway.send(runtime.prepare(slot, alias, address, routes.readiness_route.port))
    given_up = Event()
    with ThreadPoolExecutor(1) as beside:
        try:
            port = routes.scoring_route.port
            known = beside.submit(gateway.wait_for_address, slot, address, port, given_up)
            probe = Probe(gateway.address, probe_token, routes.readiness_route)
            wait_until_ready(place.engine, container, probe, timeout, script)
            place.engine.restart_always(container)
            known.result()
        finally:
            given_up.set()


def _switch(gateway: Gateway, before: GatewayState, changed: GatewayState) -> str:
    """Hand the requests over and write it down; HAProxy's statistics of that moment."""
    try:
        answer = gateway.send([*runtime.switch(changed), *runtime.SHOW_STATISTICS])
        gateway.save(changed)
    except EngineError:
        slot = runtime.other_slot(before.backend)
        with suppress(EngineError):  # the first error is the one to tell
            gateway.send(runtime.take_back(before, slot))
        raise
    return answer


def _retire(place: Workplace, gateway: Gateway, former: Backend, statistics: str) -> None:
    """Let a deployment's container answer what it has taken, then remove it."""
    try:
        try:
            if runtime.requests_in_flight(statistics, former.slot) != 0:
                gateway.drain(former.slot, former.request_timeout_ms)
        finally:
            with ThreadPoolExecutor(1) as beside:
                released = beside.submit(gateway.send, runtime.release(former.slot))
                remove_deployment(place, former.container)
        released.result()
    except EngineError as error:
        place.reporter.warn(
            "The new deployment is at work, but the former one's container could not be removed; "
            f"the next update does that. {error.message} {error.cause}"
        )


def remove_deployment(place: Workplace, identity: str) -> None:
    """Remove a deployment's container and, where it has one, the copy of its model."""
    container = place.engine.inspect_container(identity)
    place.engine.remove_container(identity)
    if container is not None:
        revision = container.labels[names.REVISION]
        for volume in place.engine.list_volumes(place.names.labels(revision=revision)):
            place.engine.remove_volume(volume)


def backend_of(plan: ContainerPlan, container: str, alias: str, slot: str) -> Backend:
    """The gateway's view of a deployment that runs in a container."""
    settings = plan.spec.request_settings
    return Backend(
        deployment=plan.spec.name,
        container=container,
        alias=alias,
        slot=slot,
        port=plan.routes.scoring_route.port,
        scoring_path=plan.routes.scoring_route.path,
        request_timeout_ms=settings.request_timeout_ms,
        max_concurrent_requests=settings.max_concurrent_requests_per_instance,
    )


def _address(place: Workplace, container: str) -> str:
    found = place.engine.inspect_container(container)
    return found.addresses.get(place.names.network, "") if found is not None else ""


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
    return code.scoring_script if code is not None and plan.spec.routes is None else None
