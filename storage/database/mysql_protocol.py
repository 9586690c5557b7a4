"""Runs a statement on an aiomysql connection and reads its result without the driver's own reader.

A server answers a statement with a series of packets ("Text Resultset" in MySQL's protocol documentation): one
with the number of columns, one that describes each column (names, type, character set), an EOF packet, one for
each row, and an EOF packet. Each packet begins with its length in three bytes and a sequence number.

aiomysql awaits the head and the content of each packet separately, and parses the column packets of every result
in Python. For a single row of 20 columns, that is more than half of the CPU time. Here, two things are different:

- Everything that has arrived is read at once, and split into packets in memory.
- The column packets are compared, as one run of bytes, with those of earlier results of the same statement. If
  they are equal, they are skipped, and the rows are decoded as before. A statement with a LEFT JOIN has more than
  one set of columns, because a server may describe the columns of a table differently if no row of it matched.

With the driver's own reader, a request that is not cached takes 1.5 to 2.4 times as much CPU time in this process;
see "Reading results" in docs/performance.md. The price is that this file uses private names of aiomysql, which is
why pyproject.toml bounds its version. tests/storage/database/test_rows.py compares the two readers.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiomysql.connection import Connection as DriverConnection
from pymysql import MySQLError, OperationalError
from pymysql.connections import TEXT_TYPES
from pymysql.constants import COMMAND, CR, FIELD_TYPE
from pymysql.err import raise_mysql_exception
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket

from storage.database import tls
from storage.database.rows import RowShape

READ_SIZE = 1 << 18  # bytes
HEAD_SIZE = 4  # bytes before the content of a packet
MAX_PACKET = 0xFFFFFF  # a packet of this size is continued in the next one
OK, NULL, EOF, ERROR = 0x00, 0xFB, 0xFE, 0xFF
# Length-encoded integers: the first byte is the number itself, or says how many bytes with the number follow.
LENGTH_BYTES = {0xFC: 2, 0xFD: 3, 0xFE: 8}
BINARY = 63  # the character set of bytes that are not text
# The types of fields that columns are decoded to, except texts.
VALUE_TYPES = {
    **dict.fromkeys((FIELD_TYPE.BIT, FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG), int),
    **dict.fromkeys((FIELD_TYPE.LONGLONG, FIELD_TYPE.YEAR), int),
    **dict.fromkeys((FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE), float),
    **dict.fromkeys((FIELD_TYPE.DATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP), datetime),
}

Decode = Callable[[bytes], Any]


class Connection(tls.Encrypting, DriverConnection):  # type: ignore[misc]
    """A connection of aiomysql."""

    error = OperationalError
    flags = "client_flag"

    def transport(self) -> asyncio.WriteTransport | None:
        return self._writer.transport if self._writer else None


class ColumnSet(RowShape):
    """The columns of a result, with the packets that described them and a decoder for each."""

    def __init__(self, packets: bytes, columns: Sequence[bytes], decoders: Mapping[int, Any]) -> None:
        """`packets` is what the server sent, `columns` the content of each column packet in it."""
        parsed: list[Any] = [FieldDescriptorPacket(column, "utf8") for column in columns]
        super().__init__(
            [column.name for column in parsed],
            types=[value_type(column.type_code, column.charsetnr) for column in parsed],
        )
        self.packets = packets
        self._decoders = [
            _decoder(column.type_code, column.charsetnr, decoders.get(column.type_code)) for column in parsed
        ]

    def row(self, data: bytes, position: int) -> list[Any]:
        """Return the values of the row whose content begins at `position`."""
        values: list[Any] = []
        for decode in self._decoders:
            size = data[position]
            position += 1
            if size == NULL:
                values.append(None)
                continue
            if size > NULL:
                start = position + LENGTH_BYTES[size]
                size = int.from_bytes(data[position:start], "little")
                position = start
            values.append(decode(data[position : position + size]))
            position += size
        return values


class ResultReader:
    """Reads the packets that a server sends in answer to one statement."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.decoders: Mapping[int, Any] = connection.decoders
        self.data = b""
        self.position = 0

    async def packet(self) -> tuple[int, int]:
        """Return where the content of the next packet begins and ends in `data`. Raise MySQLError."""
        start = self.position + HEAD_SIZE
        while len(self.data) < start:
            await self._read_more()
        size = int.from_bytes(self.data[self.position : self.position + 3], "little")
        while len(self.data) < start + size:
            await self._read_more()
        if size == MAX_PACKET:
            self._connection.close()
            raise OperationalError(CR.CR_MALFORMED_PACKET, "a row of more than 16 MB")
        self.position = start + size
        if size and self.data[start] == ERROR:
            raise_mysql_exception(self.data[start : self.position])
        return start, self.position

    async def _read_more(self) -> None:
        chunk = await self._connection._reader.read(READ_SIZE)
        if not chunk:
            self._connection.close()
            raise OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")
        self.data += chunk


async def execute(
    connection: Any, sql: str, values: Mapping[str, Any], known: Sequence[ColumnSet]
) -> tuple[ColumnSet | None, list[list[Any]]]:
    """Run a statement. Return its columns and rows; the columns are None if it returns no rows at all.

    `known` are the columns of earlier results of the statement; the one that fits is returned again. Raise
    MySQLError. The connection is closed if the result was not read to its end.
    """
    text = sql % {name: connection.escape(value) for name, value in values.items()}
    connection._last_usage = connection.loop.time()
    try:
        await connection._execute_command(COMMAND.COM_QUERY, text.encode(connection.encoding))
        return await _read(ResultReader(connection), known)
    except MySQLError:
        raise
    except BaseException:
        # Cancelled or timed out: the next statement must not read the rest of this result.
        abort(connection)
        raise


def new(arguments: Mapping[str, Any]) -> Any:
    """Return a connection that is not connected yet."""
    return Connection(**arguments)


async def connect(connection: Any) -> None:
    """Connect and log in. Raise MySQLError or OSError."""
    await connection._connect()


def is_usable(connection: Any) -> bool:
    """Return whether a connection is open, and the server has not closed it either."""
    reader = connection._reader
    return not (connection.closed or reader.eof_received or reader.at_eof() or reader.exception())


def abort(connection: Any) -> None:
    """Close a connection at once, without sending what has not been sent yet."""
    if transport := connection.transport():
        transport.abort()
    connection.close()


async def _read(reader: ResultReader, known: Sequence[ColumnSet]) -> tuple[ColumnSet | None, list[list[Any]]]:
    start, end = await reader.packet()
    if reader.data[start] == OK:
        return None, []
    for columns in known:
        if reader.data.startswith(columns.packets, end):
            reader.position = end + len(columns.packets)
            break
    else:
        count = MysqlPacket(reader.data[start:end], "utf8").read_length_encoded_integer() or 0
        columns = await _read_columns(reader, count)
    rows: list[list[Any]] = []
    while True:
        start, end = await reader.packet()
        if reader.data[start] == EOF and end - start < 9:
            return columns, rows
        rows.append(columns.row(reader.data, start))


async def _read_columns(reader: ResultReader, count: int) -> ColumnSet:
    begin = reader.position
    columns = []
    for _ in range(count):
        start, end = await reader.packet()
        columns.append(reader.data[start:end])
    await reader.packet()  # EOF
    return ColumnSet(reader.data[begin : reader.position], columns, reader.decoders)


def value_type(kind: int, charset: int) -> type:
    """Return the type of a column's values, `object` for one that no field has."""
    if kind in TEXT_TYPES and charset != BINARY:
        return str
    return VALUE_TYPES.get(kind, object)


def _decoder(kind: int, charset: int, convert: Callable[[Any], Any] | None) -> Decode:
    if convert is int or convert is float:
        return convert  # both parse bytes as well
    if kind == FIELD_TYPE.BIT and convert:
        return convert
    if charset == BINARY and (convert is None or kind in TEXT_TYPES) and kind != FIELD_TYPE.JSON:
        return bytes
    if convert is None or kind in TEXT_TYPES:
        return bytes.decode
    return lambda value: convert(value.decode())
