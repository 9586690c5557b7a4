"""Runs a statement on an asyncmy connection, and skips descriptions of columns that are already known.

asyncmy parses rows in C, but creates Python objects from the description of every column of every result. For a
single row, that takes up to half of the CPU time. So the packets that describe the columns are compared with those
of earlier results of the same statement, and skipped if they are equal, as in mysql_protocol.py, which explains
the packets. "Reading results" in docs/performance.md has the figures. This file uses private names of asyncmy,
which is why pyproject.toml bounds its version.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from asyncmy import connection as driver
from asyncmy.connection import MySQLResult
from asyncmy.errors import MySQLError, OperationalError
from asyncmy.protocol import parse_rows_from_buffer

from storage.database import tls
from storage.database.mysql_protocol import value_type
from storage.database.rows import RowShape

COM_QUERY = 3


# The driver's annotations do not cover what is used here.
DriverConnection: Any = driver.Connection


class Connection(tls.Encrypting, DriverConnection):  # type: ignore[misc]
    """A connection of asyncmy."""

    error = OperationalError
    flags = "_client_flag"

    def transport(self) -> asyncio.WriteTransport | None:
        return self._transport  # type: ignore[no-any-return]


class ColumnSet(RowShape):
    """The columns of a result, with the packets that described them and a converter for each."""

    def __init__(self, result: Any) -> None:
        """`result` is one that the driver has read."""
        super().__init__(
            [column[0] for column in result.description],
            types=[value_type(field.type_code, field.charsetnr) for field in result.fields],
        )
        self.converters = tuple(result.converters)
        contents = [bytes([result.field_count]), *(field.get_all_data() for field in result.fields)]
        self.packet_count = len(contents)
        # The driver keeps no packets: each is the length in three bytes, the sequence number, the content.
        self.packets = b"".join(
            len(content).to_bytes(3, "little") + bytes([number & 0xFF]) + content
            for number, content in enumerate(contents, 1)
        )


async def execute(
    connection: Any, sql: str, values: Mapping[str, Any], known: Sequence[ColumnSet]
) -> tuple[ColumnSet | None, Sequence[Sequence[Any]]]:
    """Do the same as mysql_protocol.execute."""
    text = sql % {name: connection.escape(value) for name, value in values.items()}
    connection._last_usage = connection._loop.time()
    try:
        await connection._execute_command(COM_QUERY, text.encode(connection._encoding))
        # An older server ends the description with a packet that does not only depend on the columns.
        if known and connection._deprecate_eof and (columns := await _skip_columns(connection, known)):
            return columns, await _read_rows(connection, columns)
        result: Any = MySQLResult(connection)
        await result.read()
    except MySQLError:
        raise
    except BaseException:
        # Cancelled or timed out: the next statement must not read the rest of this result.
        abort(connection)
        raise
    return ColumnSet(result) if result.description else None, result.rows or ()


def new(arguments: Mapping[str, Any]) -> Any:
    """Do the same as mysql_protocol.new."""
    return Connection(**arguments)


async def connect(connection: Any) -> None:
    """Do the same as mysql_protocol.connect."""
    await connection.connect()


def is_usable(connection: Any) -> bool:
    """Return whether a connection is open, and the server has not closed it either."""
    return not connection._stream_broken


def abort(connection: Any) -> None:
    """Do the same as mysql_protocol.abort."""
    if transport := connection.transport():
        transport.abort()
    connection.close()


async def _skip_columns(connection: Any, known: Sequence[ColumnSet]) -> ColumnSet | None:
    """Skip the description of the columns if it is a known one. Return which, or None."""
    stream = connection._proto
    received = 0
    while True:
        await connection._fill_buffer(received + 1)
        received = stream.length - stream.pos
        for columns in known:
            # The buffer may be longer: beyond `received` are bytes of earlier results.
            if len(columns.packets) <= received and stream.buffer.startswith(columns.packets, stream.pos):
                stream.pos += len(columns.packets)
                connection._next_seq_id = (connection._next_seq_id + columns.packet_count) & 0xFF
                return columns
        # Wait for more only if what has come so far fits: another result may be shorter than what is expected.
        begin = bytes(stream.buffer[stream.pos : stream.length])
        if not any(columns.packets.startswith(begin) for columns in known):
            return None


async def _read_rows(connection: Any, columns: ColumnSet) -> list[tuple[Any, ...]]:
    stream = connection._proto
    rows: list[tuple[Any, ...]] = []
    while True:
        stream.pos, connection._next_seq_id = parse_rows_from_buffer(
            stream.buffer, stream.pos, stream.length, columns.converters, connection._next_seq_id, rows, True
        )
        # The rest is a row that has not arrived completely, or the end of the result.
        packet = await connection.read_packet()
        if packet.is_auth_switch_request():
            return rows
        rows.append(packet.read_row(columns.converters))
