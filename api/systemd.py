"""What systemd passes to a service: the socket that it listens on, and where to say that the service is ready."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from domain.errors import CannotOpen

# The first file descriptor that systemd passes, see sd_listen_fds(3).
FIRST = 3
READY = "READY=1"
STOPPING = "STOPPING=1"


def inherited_socket(environment: Mapping[str, str]) -> int | None:
    """Return the file descriptor of the socket that systemd passes, if any. Raise CannotOpen for several."""
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return None
    if (number := environment.get("LISTEN_FDS")) != "1":
        raise CannotOpen(f"one socket is accepted from systemd, not {number}")
    return FIRST


def address_of(descriptor: int) -> tuple[str, int]:
    """Return the host and the port on which a socket listens. Raise CannotOpen if it is not a TCP socket.

    Connections to it send at once what is written: uvloop sets that only for sockets that it has opened.
    """
    with socket.socket(fileno=os.dup(descriptor)) as listening:
        if listening.family not in (socket.AF_INET, socket.AF_INET6):
            raise CannotOpen("the socket from systemd is not a TCP socket: look at ListenStream in apidot.socket")
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = listening.getsockname()[:2]
        return host, port


def notify(environment: Mapping[str, str], state: str) -> None:
    """Tell systemd a state of this service, if it waits for that (Type=notify)."""
    if address := environment.get("NOTIFY_SOCKET"):
        # @ stands for the null byte with which the name of an abstract socket begins.
        name = f"\0{address[1:]}" if address.startswith("@") else address
        # Serving requests does not depend on it.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), name)
