"""The socket that servers inherit."""

from __future__ import annotations

import errno
import socket

import pytest

from localep.errors import UsageError
from localep.server.listener import open_listener


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_it_listens_on_a_free_port(host: str) -> None:
    with open_listener(host, 0) as opened:
        assert opened.getsockname()[0] == host
        assert opened.getsockname()[1] > 0


def test_a_port_that_is_taken_is_told() -> None:
    with open_listener("127.0.0.1", 0) as first, pytest.raises(UsageError) as caught:
        open_listener("127.0.0.1", first.getsockname()[1])

    assert caught.value.message.endswith(" is in use.")


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        open_listener("192.0.2.1", 0)

    assert caught.value.message == "192.0.2.1 is no address of this machine."


def test_a_port_for_root_alone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: socket.socket, _address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(UsageError) as caught:
        open_listener("127.0.0.1", 80)

    assert (caught.value.message, caught.value.cause) == (
        "Port 80 may not be used.",
        "Permission denied.",
    )
