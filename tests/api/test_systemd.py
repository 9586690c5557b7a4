"""What systemd passes to a service."""

import socket

import pytest

from api.systemd import address_of, inherited_socket
from domain.errors import CannotOpen


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_socket_of_systemd(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as listening:
        assert address_of(listening.fileno()) == (host, listening.getsockname()[1])
        with socket.create_connection((host, listening.getsockname()[1])):
            accepted, _ = listening.accept()
            with accepted:
                # Otherwise the body of a response waits for the client to acknowledge its headers.
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_socket_that_is_not_tcp() -> None:
    with socket.socket(socket.AF_UNIX) as other, pytest.raises(CannotOpen, match="not a TCP socket"):
        address_of(other.fileno())


def test_a_socket_for_another_process() -> None:
    assert inherited_socket({}) is None
    assert inherited_socket({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) is None
