"""Bodies of type multipart/form-data (RFC 7578), whole in memory."""

from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from domain.errors import ErrorSpec

UNREADABLE = ErrorSpec(400, "The multipart body cannot be read.")
BREAKS_OFF = ErrorSpec(400, "The multipart body breaks off.")
MULTIPART = (UNREADABLE, BREAKS_OFF)

MOST_PARTS = 100


class _Parts:
    """Collects the parts while the parser walks through the body."""

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}
        self.complete = False
        self._begun = 0
        self._headers: dict[str, bytes] = {}
        self._field, self._value, self._content = bytearray(), bytearray(), bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": lambda data, start, end: self._content.extend(memoryview(data)[start:end]),
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def _begin(self) -> None:
        self._begun += 1
        if self._begun > MOST_PARTS:
            raise FormParserError(f"more than {MOST_PARTS} parts")
        self._headers = {}
        self._content = bytearray()

    def _header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = bytes(self._value)
        self._field, self._value = bytearray(), bytearray()

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        self.found[options.get(b"name", b"").decode("utf-8", "replace")] = bytes(self._content)

    def _all(self) -> None:
        self.complete = True


def parts(data: bytes, content_type: str) -> dict[str, bytes]:
    """The content of each named part of a body; of two with one name the last counts.

    Raises APIError for a body that is not of that form, or breaks off before its last boundary.
    """
    _, options = parse_options_header(content_type)
    collected = _Parts()
    try:
        if not options.get(b"boundary"):
            raise FormParserError("no boundary")
        parser = MultipartParser(options[b"boundary"], collected.callbacks())
        parser.write(data)
        parser.finalize()
    except FormParserError:
        raise UNREADABLE() from None
    if not collected.complete:
        raise BREAKS_OFF()
    return collected.found
