"""Opens and closes connections, with the session that the statements need."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from storage.database import session
from storage.database.failures import UNKNOWN_VARIABLE, is_refusal, number_of

QUIT = b"\x01\x00\x00\x00\x01"  # the packet of COM_QUIT


class Wire(Protocol):
    """The functions of mysql_protocol and asyncmy_protocol that open and close a connection."""

    def new(self, arguments: Mapping[str, Any]) -> Any: ...
    async def connect(self, connection: Any) -> None: ...
    def is_usable(self, connection: Any) -> bool: ...
    def abort(self, connection: Any) -> None: ...


class Connector:
    """Opens and closes the connections of a pool."""

    def __init__(self, wire: Wire, arguments: Mapping[str, Any], statement_timeout: float) -> None:
        """`arguments` are those of the driver's connections, `statement_timeout` is in seconds."""
        self._wire = wire
        self._statement_timeout = statement_timeout
        # The drivers encode the password in Latin-1. MySQL's own clients send it in UTF-8.
        password = (arguments.get("password") or "").encode().decode("latin-1")
        self.new = partial(wire.new, {**arguments, "password": password})
        self.is_usable = wire.is_usable
        self.abort = wire.abort

    async def connect(self, connection: Any) -> None:
        """Connect, log in, set up the session, and ask whether tables can be read. Raise the driver's error."""
        await self._wire.connect(connection)
        await self._set_session(connection)
        try:
            await connection.query(session.PING)
        except Exception as error:
            # That there is no such table is an answer.
            if not is_refusal(error):
                raise

    async def _set_session(self, connection: Any) -> None:
        *better, last = session.statements(connection.server_version, self._statement_timeout)
        for statement in better:
            try:
                # The driver's own method notes the modes that the server answers with, which escaping depends on.
                await connection.query(statement)
            except Exception as error:
                if number_of(error) != UNKNOWN_VARIABLE:
                    raise
            else:
                return
        await connection.query(last)

    def close(self, connection: Any) -> None:
        """Close a connection that is idle, and tell the server, which would log a lost connection otherwise."""
        if transport := connection.transport():
            transport.write(QUIT)
        connection.close()
