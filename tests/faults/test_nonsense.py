"""The server that answers in the place of Redis."""

import socket

from faults.nonsense import REPLIES, nonsense
from tests.support.processes import free_port


def test_commands_are_answered_with_each_reply_in_turn() -> None:
    port = free_port()
    with nonsense(port), socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        received = client.makefile("rb")
        client.sendall(b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")
        assert received.read(5) == b"+OK\r\n"
        for reply in REPLIES:
            client.sendall(b"*1\r\n$4\r\nPING\r\n")
            assert received.read(len(reply)) == reply
        client.sendall(b"*1\r\n$4\r\nPING\r\n")
        assert received.read(len(REPLIES[0])) == REPLIES[0]


def test_connections_end_with_the_server() -> None:
    port = free_port()
    with nonsense(port):
        client = socket.create_connection(("127.0.0.1", port), timeout=10)
        client.sendall(b"*1\r\n$4\r\nPING\r\n")
        assert client.recv(5) == REPLIES[0]
    with client:
        assert client.recv(1) == b""
