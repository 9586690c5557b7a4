"""The HTTP protocol of the server, as uvicorn has it but for one limit."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """Takes no more of an answer until the client has taken what there is.

    Otherwise each client that is slower than the disk costs twice the 64 KiB that uvicorn lets pile up.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Sets the limit on a new connection."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
