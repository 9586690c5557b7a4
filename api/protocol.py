"""The HTTP protocol of the server, as uvicorn has it but for one limit and one answer."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_BODY = b'{"status":"This is not a valid HTTP request."}'
NOT_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Protocol(HttpToolsProtocol):
    """Takes no more of an answer until the client has taken what there is.

    Otherwise each client that is slower than the disk costs twice the 64 KiB that uvicorn lets pile up.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Sets the limit on a new connection."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)

    def shutdown(self) -> None:
        """The server stops: what is in flight is still answered, and counted."""
        # uvicorn says that there is always one.
        if self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr]
            self.app_state["watch"].draining += 1
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP; clients expect JSON here too."""
        self.transport.write(NOT_HTTP)
        self.transport.close()
