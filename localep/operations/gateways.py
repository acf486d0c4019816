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
    from localep.gateway.state import GatewayState, Operation
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
        deadline = time.monotonic() + _START_SECONDS
        command = runtime.shell_command(commands)
        while True:
            try:
                status, output = self.engine.execute(self.container, command)
            except EngineError:
                if self._is_running():
                    raise
                status, output = 1, "It ended."
            if status == 0:
                return self._accepted(output)
            if time.monotonic() > deadline or not self._is_running():
                raise self._not_running(output)
            time.sleep(0.02)

    def save(self, state: GatewayState) -> None:
        """Write the state and the files that HAProxy reads when it starts again.

        Never in part: an endpoint without its state would be lost.
        """
        with held_back():
            self.engine.copy_in(self.container, "/", config.gateway_archive(state))

    def wait_for_address(self, slot: str, address: str, port: int, given_up: Event) -> None:
        """Wait until a prepared server knows its container's address, and give it the port.

        Raises EngineError.
        """
        deadline = time.monotonic() + _RESOLVE_SECONDS
        while (found := runtime.port_of(self.send(runtime.SHOW_SERVERS), slot, address)) is None:
            if given_up.is_set():
                return
            if time.monotonic() > deadline:
                raise EngineError(
                    "The gateway cannot find the deployment's container.",
                    cause="The engine's name service does not answer for it.",
                    remedy="Try again; if it stays so, restart the engine.",
                )
            time.sleep(0.02)
        if found != port:
            self.send(runtime.set_port(slot, address, port))

    def drain(self, slot: str, timeout_ms: int) -> None:
        """Wait until a server that takes no new requests has answered the last one."""
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


def start_gateway(
    place: Workplace, endpoint: str, image: str, state: GatewayState, host: str, port: int | None
) -> Gateway:
    """Create and start the gateway of a new endpoint on a port that stays.

    ``port`` is the port that the user asked for; where there is none, a free one is chosen.
    Raises EndpointConflict where the endpoint has a gateway already, PortTaken where the port
    is in use.
    """
    for _ in range(_PORT_TRIES):
        chosen = port or _free_port(host)
        container = _create(place, endpoint, image, host, chosen)
        place.engine.copy_in(container, "/", config.gateway_archive(state))
        try:
            place.start_container(container)
        except PortTaken as error:
            place.engine.remove_container(container)
            if port is not None:
                raise PortTaken(
                    f"Port {port} is in use.",
                    cause=error.cause,
                    remedy="Choose another with --port, or leave it out to have one chosen.",
                ) from error
        else:
            return Gateway(place.engine, container, f"http://{_reachable(place, host)}:{chosen}")
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
            reason = " ".join(filter(None, (error.message, error.cause)))
            failed = replace(operation, state="Failed", error=reason)
            with suppress(EngineError):  # the first error is the one to tell
                gateway.save(state.after(failed))
        raise


def _create(place: Workplace, endpoint: str, image: str, host: str, port: int) -> str:
    request = ContainerRequest(
        name=place.names.gateway(endpoint),
        image=image,
        command=config.COMMAND,
        labels=place.labels(
            role=names.GATEWAY_ROLE,
            endpoint=endpoint,
            address=f"{_reachable(place, host)}:{port}",
        ),
        network=place.names.network,
        aliases=(config.IDLE_HOST,),
        user=config.USER,
        publish={config.PORT: (host, port)},
        scratch=config.SCRATCH,
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
