"""Host names in settings that are not known on this machine."""

import asyncio
import socket

IN_DOCKER = "docker compose -f deploy/compose.yml run --rm apidot check"


async def advice_if_unknown(host: str | None, setting: str) -> str | None:
    """Return what to do if the name of a host is not known here, None if it is, or if there is no name."""
    if not host:
        return None
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None)
    except (socket.gaierror, UnicodeError):
        return (
            f"{setting} is {host}, a name that is not known here. If this is the name of a container, it is known"
            f" in its Docker network alone: run check in Docker: {IN_DOCKER}"
        )
    return None
