"""An endpoint's gateway: making it, speaking with it, keeping its state."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.engine.base import ContainerRequest
from localep.errors import (
    EndpointConflict,
    EngineError,
    LocalepError,
    NameTaken,
    PortTaken,
    UsageError,
)
from localep.gateway import config, runtime
from localep.interrupts import held_back
from localep.operations import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from threading import Event

    from localep.engine.base import Engine
    from localep.gateway.runtime import Target
    from localep.gateway.state import Backend, GatewayState, Operation
    from localep.operations.workplace import Undo, Workplace

_START_SECONDS = 20
_RESOLVE_SECONDS = 10
_DRAIN_MARGIN_SECONDS = 5
_PORT_TRIES = 5


@dataclass(frozen=True)
class Gateway:
    """A gateway that runs: its container, and the host address that it answers on."""

    engine: Engine
    container: str
    address: str

    def send(self, commands: Sequence[str]) -> str:
        """Send commands to HAProxy's runtime socket and return its answers.

        Waits for the socket where HAProxy is only starting. Raises EngineError where it does
        not come up or refuses a command.
        """
        return self._accepted(self._executed(runtime.shell_command(commands)))

    def _executed(self, command: Sequence[str]) -> str:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                status, output = self.engine.execute(self.container, command)
            except EngineError:
                if self._is_running():
                    raise
                status, output = 1, "It ended."
            if status == 0:
                return output
            if time.monotonic() > deadline or not self._is_running():
                raise self._not_running(output)
            time.sleep(0.02)

    def save(self, state: GatewayState) -> None:
        """Write the state and the files that HAProxy reads when it starts again.

        Never in part: an endpoint without its state would be lost.
        """
        with held_back():
            self.engine.copy_in(self.container, "/", config.gateway_archive(state))

    def follow(self, state: GatewayState, told: str = "") -> None:
        """Have HAProxy load the settings of a state that was saved, where it runs with others.

        ``told`` is its answer to SHOW_SETTINGS, where it was asked just now. Waits until it has
        them. Raises EngineError.
        """
        wanted = config.settings_of(state).digest
        if runtime.loaded_settings(told or self.send(runtime.SHOW_SETTINGS)) == wanted:
            return
        ready = runtime.ready_servers(self.send(runtime.SHOW_STATISTICS))
        self.engine.execute(self.container, runtime.RELOAD)
        deadline = time.monotonic() + _START_SECONDS
        while runtime.loaded_settings(self.send(runtime.SHOW_SETTINGS)) != wanted:
            if time.monotonic() > deadline:
                raise self._not_running("It did not take its new settings.")
            time.sleep(0.02)
        if ready:
            self.send(runtime.stay_ready(ready))

    def load_keys(self, state: GatewayState) -> None:
        """Have HAProxy take the keys and tokens of a state that was saved.

        From one request to the next, on connections that are open, too. Raises EngineError.
        """
        if state.requires_key:
            self._accepted(self._executed(runtime.LOAD_KEYS))

    def wait_for_addresses(
        self, slot: str, targets: Sequence[Target], port: int, given_up: Event
    ) -> None:
        """Wait until prepared servers know their containers' addresses; give them the port.

        Raises EngineError.
        """
        deadline = time.monotonic() + _RESOLVE_SECONDS
        while (found := runtime.ports_of(self.send(runtime.SHOW_SERVERS), slot, targets)) is None:
            if given_up.is_set():
                return
            if time.monotonic() > deadline:
                raise EngineError(
                    "The gateway cannot find the deployment's container.",
                    cause="The engine's name service does not answer for it.",
                    remedy="Try again; if it stays so, restart the engine.",
                )
            time.sleep(0.02)
        if found != [port] * len(targets):
            self.send(runtime.set_ports(slot, targets, port))

    def drain(self, slot: str, timeout_ms: int) -> None:
        """Wait until a group that takes no new requests has answered the last one."""
        deadline = time.monotonic() + timeout_ms / 1000 + _DRAIN_MARGIN_SECONDS
        while time.monotonic() < deadline:
            statistics = self.send(runtime.SHOW_STATISTICS)
            if runtime.requests_in_flight(statistics, slot) == 0:
                return
            time.sleep(0.05)

    def _accepted(self, output: str) -> str:
        refusal = runtime.refusal(output)
        if refusal is None:
            return output
        raise EngineError(
            "The gateway refused a command.",
            cause=refusal,
            remedy="Delete the endpoint and create it again.",
        )

    def _not_running(self, output: str) -> EngineError:
        log = b"".join(self.engine.logs(self.container, lines=20))
        return EngineError(
            "The gateway does not run.",
            cause=output.strip() or "Its control socket does not answer.",
            remedy="Delete the endpoint and create it again; the gateway's last lines are above.",
            details=log.decode("utf-8", errors="replace").splitlines(),
        )

    def _is_running(self) -> bool:
        found = self.engine.inspect_container(self.container)
        return found is not None and found.is_running


@dataclass(frozen=True)
class GatewayPlan:
    """The gateway of a new endpoint: its image, its state, and where it shall answer.

    ``port`` is the port that the user asked for; where there is none, a free one is chosen.
    ``expected`` is the deployment that is about to come.
    """

    endpoint: str
    image: str
    state: GatewayState
    host: str
    port: int | None
    expected: Backend | None = None


def start_gateway(place: Workplace, plan: GatewayPlan) -> Gateway:
    """Create and start the gateway of a new endpoint on a port that stays.

    Raises EndpointConflict where the endpoint has a gateway already, PortTaken where the port
    is in use.
    """
    for _ in range(_PORT_TRIES):
        chosen = plan.port or _free_port(plan.host)
        container = _create(place, plan, chosen)
        place.engine.copy_in(container, "/", config.gateway_archive(plan.state, plan.expected))
        try:
            place.start_container(container)
        except PortTaken as error:
            place.engine.remove_container(container)
            if plan.port is not None:
                raise PortTaken(
                    f"Port {plan.port} is in use.",
                    cause=error.cause,
                    remedy="Choose another with --port, or leave it out to have one chosen.",
                ) from error
        else:
            address = f"http://{_reachable(place, plan.host)}:{chosen}"
            return Gateway(place.engine, container, address)
    raise PortTaken(
        "No free port was found.",
        cause=f"Each of {_PORT_TRIES} that were free was taken a moment later.",
        remedy="Choose one with --port.",
    )


@contextmanager
def recorded_failure(
    gateway: Gateway, state: GatewayState, operation: Operation, undo: Undo
) -> Iterator[None]:
    """Write into the state of an endpoint that was there before what went wrong, if it does."""
    try:
        yield
    except LocalepError as error:
        if not undo.is_off:
            failed = replace(operation, state="Failed", error=error.said)
            with suppress(EngineError):  # the first error is the one to tell
                gateway.save(state.after(failed))
        raise


def _create(place: Workplace, plan: GatewayPlan, port: int) -> str:
    endpoint, host = plan.endpoint, plan.host
    request = ContainerRequest(
        name=place.names.gateway(endpoint),
        image=plan.image,
        command=config.COMMAND,
        labels=place.labels(
            role=names.GATEWAY_ROLE,
            endpoint=endpoint,
            address=f"{_reachable(place, host)}:{port}",
        ),
        network=place.names.network,
        aliases=(config.IDLE_HOST,),
        user=config.USER,
        environment=config.VARIABLES,
        publish={config.PORT: (host, port)},
        scratch=config.SCRATCH,
        log_limit=config.LOG_BYTES,
    )
    try:
        return place.create_container(request)
    except NameTaken as error:
        raise EndpointConflict(
            f"Endpoint {endpoint} exists already.",
            cause="Another command is creating it, or has.",
            remedy=f"Look with `localep show -n {endpoint}`.",
        ) from error


def _reachable(place: Workplace, host: str) -> str:
    """The host under which the published port is reached from here."""
    info = place.engine.info()
    if not info.is_local:
        return info.host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _free_port(host: str) -> int:
    with socket.socket() as listener:
        try:
            listener.bind((host if host.count(".") == 3 else "127.0.0.1", 0))
        except OSError as error:
            raise UsageError(
                f"No port can be opened on {host}.",
                cause=f"{error.strerror}.",
                remedy="Give --host an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
            ) from error
        return int(listener.getsockname()[1])
