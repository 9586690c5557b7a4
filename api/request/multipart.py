"""Parsing multipart/form-data (RFC 7578) that is wholly in memory."""

import logging
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from domain.errors import ErrorSpec

UNREADABLE = ErrorSpec(400, "The multipart body cannot be read.")
TRUNCATED = ErrorSpec(400, "The multipart body breaks off.")
MULTIPART_ERRORS = (UNREADABLE, TRUNCATED)

MAX_PARTS = 100

# The parser warns about each body that it cannot parse. The client learns it from the response,
# and the operator cannot change it.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


class _PartCollector:
    """Collects the parts while the parser goes through the body."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self.complete = False
        self._count = 0
        self._headers: dict[str, bytes] = {}
        self._field, self._value, self._content = bytearray(), bytearray(), bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self._content.extend(memoryview(data)[start:end]),
            "on_part_end": self._end,
            "on_end": self._end_body,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise FormParserError(f"more than {MAX_PARTS} parts")
        self._headers = {}
        self._content = bytearray()

    def _end_header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = bytes(self._value)
        self._field, self._value = bytearray(), bytearray()

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        self.parts[options.get(b"name", b"").decode("utf-8", "replace")] = bytes(self._content)

    def _end_body(self) -> None:
        self.complete = True


def parts(data: bytes, content_type: str) -> dict[str, bytes]:
    """Return the content of each part by its name; the last one wins if several have the same name.

    Raise APIError if the body cannot be parsed, or ends before its last boundary.
    """
    _, options = parse_options_header(content_type)
    collector = _PartCollector()
    try:
        if not options.get(b"boundary"):
            raise FormParserError("no boundary")
        parser = MultipartParser(options[b"boundary"], collector.callbacks())
        parser.write(data)
        parser.finalize()
    except FormParserError:
        raise UNREADABLE() from None
    if not collector.complete:
        raise TRUNCATED()
    return collector.parts
