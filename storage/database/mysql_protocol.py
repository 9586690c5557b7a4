"""Reading a result from aiomysql all at once.

The driver awaits every packet twice, and takes the description of every column apart for every result: of a
single row with 20 columns that is half of the time. The results of a statement are described alike, but for which
tables of a LEFT JOIN had a row, so that each description is taken apart once, and the rows are read from what has
arrived.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pymysql import MySQLError, OperationalError
from pymysql.connections import TEXT_TYPES
from pymysql.constants import COMMAND, CR, FIELD_TYPE
from pymysql.err import raise_mysql_exception

CHUNK = 1 << 18
BINARY = 63  # the character set of what is no text
WHOLE = 0xFFFFFF  # a packet of this size goes on in the next one
OK, NULL, EOF, ERROR = 0x00, 0xFB, 0xFE, 0xFF
LONGER = {0xFC: 2, 0xFD: 3, 0xFE: 8}  # the first byte of a length, and how many bytes of it follow

Decode = Callable[[bytes], Any]


class ColumnSet:
    """The columns of a result: the packets that say what they are, the names, how each is read."""

    def __init__(self, packets: bytes, columns: Sequence[bytes], decoders: Mapping[int, Any]) -> None:
        self.packets = packets
        self.names: list[str] = []
        self._decoders: list[Decode] = []
        for column in columns:
            name, charset, kind = _column(column)
            self.names.append(name)
            self._decoders.append(_decoder(kind, charset, decoders.get(kind)))

    def row(self, data: bytes, at: int) -> list[Any]:
        """The row in the packet that begins there."""
        values: list[Any] = []
        for decode in self._decoders:
            size = data[at]
            at += 1
            if size == NULL:
                values.append(None)
                continue
            if size > NULL:
                start = at + LONGER[size]
                size = int.from_bytes(data[at:start], "little")
                at = start
            values.append(decode(data[at : at + size]))
            at += size
        return values


class ResultReader:
    """What the server sends in answer to one statement, read until it is whole."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.decoders: Mapping[int, Any] = connection.decoders
        self.data = b""
        self.at = 0

    async def packet(self) -> tuple[int, int]:
        """From where to where the content of the next packet is in `data`. Raises MySQLError."""
        start = self.at + 4
        while len(self.data) < start:
            await self.more()
        size = int.from_bytes(self.data[self.at : self.at + 3], "little")
        while len(self.data) < start + size:
            await self.more()
        if size == WHOLE:
            self._connection.close()
            raise OperationalError(CR.CR_MALFORMED_PACKET, "a row of more than 16 MB")
        self.at = start + size
        if size and self.data[start] == ERROR:
            raise_mysql_exception(self.data[start : self.at])
        return start, self.at

    async def more(self) -> None:
        """Wait for more of it. Raises OperationalError when nothing more comes."""
        chunk = await self._connection._reader.read(CHUNK)
        if not chunk:
            self._connection.close()
            raise OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")
        self.data += chunk


async def execute(
    connection: Any, sql: str, values: Mapping[str, Any], known: Sequence[ColumnSet]
) -> tuple[ColumnSet | None, list[list[Any]]]:
    """The rows that a statement answers with, and their description, which is one of `known` if it is the same.

    Without a description it is a statement that answers with no rows. Raises MySQLError.
    """
    text = sql % {name: connection.escape(value) for name, value in values.items()}
    connection._last_usage = connection.loop.time()
    try:
        await connection._execute_command(COMMAND.COM_QUERY, text.encode(connection.encoding))
        return await _read(ResultReader(connection), known)
    except MySQLError:
        raise
    except BaseException:
        # What is left of the answer is for nobody else to read.
        connection.close()
        raise


async def _read(answer: ResultReader, known: Sequence[ColumnSet]) -> tuple[ColumnSet | None, list[list[Any]]]:
    start, end = await answer.packet()
    if answer.data[start] == OK:
        return None, []
    for description in known:
        if answer.data.startswith(description.packets, end):
            answer.at = end + len(description.packets)
            break
    else:
        description = await _description(answer, _number(answer.data, start))
    rows: list[list[Any]] = []
    while True:
        start, end = await answer.packet()
        if answer.data[start] == EOF and end - start < 9:
            return description, rows
        rows.append(description.row(answer.data, start))


async def _description(answer: ResultReader, count: int) -> ColumnSet:
    begin = answer.at
    columns = []
    for _ in range(count):
        start, end = await answer.packet()
        columns.append(answer.data[start:end])
    await answer.packet()  # the end of the description
    return ColumnSet(answer.data[begin : answer.at], columns, answer.decoders)


def _number(data: bytes, at: int) -> int:
    size = data[at]
    return int.from_bytes(data[at + 1 : at + 1 + LONGER[size]], "little") if size in LONGER else size


def _column(packet: bytes) -> tuple[str, int, int]:
    """The name of a column, its character set and its type."""
    at, name = 0, b""
    for place in range(6):  # catalogue, schema, table and its own name, column and its own name
        size = _number(packet, at)
        at += 1 + LONGER.get(packet[at], 0)
        if place == 4:
            name = packet[at : at + size]
        at += size
    # One byte with the length of what follows; between the two is the width of the column.
    return name.decode(), int.from_bytes(packet[at + 1 : at + 3], "little"), packet[at + 7]


def _decoder(kind: int, charset: int, convert: Callable[[Any], Any] | None) -> Decode:
    if kind in TEXT_TYPES and charset == BINARY and kind != FIELD_TYPE.JSON:
        return bytes
    if convert is int or convert is float:
        return convert  # either reads bytes as well
    if convert is None or kind in TEXT_TYPES:
        return bytes.decode
    return lambda value: convert(value.decode())
