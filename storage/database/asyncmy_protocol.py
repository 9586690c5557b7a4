"""Reading a result from asyncmy without its description being taken apart anew.

The driver reads rows in C, but makes Python objects of every column's description for every result, which of a
single row is most of the time. As with aiomysql (storage/wire.py) the description is compared with the last one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asyncmy.connection import MySQLResult
from asyncmy.errors import MySQLError
from asyncmy.protocol import parse_rows_from_buffer

COM_QUERY = 3


class ColumnSet:
    """The columns of a result: the packets that say what they are, the names, how each is read."""

    def __init__(self, result: Any) -> None:
        """Of a result that was read."""
        self.names = [column[0] for column in result.description]
        self.converters = tuple(result.converters)
        contents = [bytes([result.field_count]), *(field.get_all_data() for field in result.fields)]
        self.packets = b"".join(
            len(content).to_bytes(3, "little") + bytes([number & 0xFF]) + content
            for number, content in enumerate(contents, 1)
        )
        self.count = len(contents)


async def execute(
    connection: Any, sql: str, values: Mapping[str, Any], known: Sequence[ColumnSet]
) -> tuple[ColumnSet | None, Sequence[Sequence[Any]]]:
    """The rows that a statement answers with, and their description, which is one of `known` if it is the same.

    Without a description it is a statement that answers with no rows. Raises MySQLError.
    """
    text = sql % {name: connection.escape(value) for name, value in values.items()}
    connection._last_usage = connection._loop.time()
    try:
        await connection._execute_command(COM_QUERY, text.encode(connection._encoding))
        # An older server ends descriptions with a packet that says more than the description.
        if known and connection._deprecate_eof and (same := await _described(connection, known)):
            return same, await _rows(connection, same)
        result: Any = MySQLResult(connection)
        await result.read()
    except MySQLError:
        raise
    except BaseException:
        # What is left of the answer is for nobody else to read.
        connection.close()
        raise
    return ColumnSet(result) if result.description else None, result.rows or ()


async def _described(connection: Any, known: Sequence[ColumnSet]) -> ColumnSet | None:
    """The one of `known` with whose packets the answer begins, which are then passed over."""
    stream = connection._proto
    come = 0
    while True:
        await connection._fill_buffer(come + 1)
        size = stream.length - stream.pos
        for each in known:
            # What lies beyond its size is left of an earlier answer.
            if len(each.packets) <= size and stream.buffer.startswith(each.packets, stream.pos):
                stream.pos += len(each.packets)
                connection._next_seq_id = (connection._next_seq_id + each.count) & 0xFF
                return each
        # Compared as it comes: another answer may be shorter than what is waited for.
        come = size
        begun = bytes(stream.buffer[stream.pos : stream.length])
        if not any(each.packets.startswith(begun) for each in known):
            return None


async def _rows(connection: Any, known: ColumnSet) -> list[tuple[Any, ...]]:
    stream = connection._proto
    rows: list[tuple[Any, ...]] = []
    while True:
        stream.pos, connection._next_seq_id = parse_rows_from_buffer(
            stream.buffer, stream.pos, stream.length, known.converters, connection._next_seq_id, rows, True
        )
        # One that has not arrived as a whole, or the end.
        packet = await connection.read_packet()
        if packet.is_auth_switch_request():
            return rows
        rows.append(packet.read_row(known.converters))
