"""The format of log lines: logfmt or JSON."""

import json
import logging
import os
import sys
import time
from functools import lru_cache

import msgspec

from api.observability.access_log import AccessRecord
from api.observability.log_writer import LogWriter
from config.settings import Settings

# Control characters and line separators that json.dumps leaves unescaped.
CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


class LogfmtFormatter(logging.Formatter):
    """Formats records as name=value pairs. A traceback follows, indented so that it cannot pass for log lines."""

    def format(self, record: logging.LogRecord) -> str:
        start = f"time={timestamp(record.created)} level={record.levelname.lower()}"
        if isinstance(record.msg, AccessRecord):
            return f"{start} {record.msg}"
        line = f"{start} msg={quoted(record.getMessage())}"
        if record.exc_info:
            traceback = self.formatException(record.exc_info).translate(CONTROLS)
            line += "".join(f"\n    {text}" for text in traceback.splitlines())
        return line


class JSONFormatter(logging.Formatter):
    """Formats records as one JSON object each, with the same names."""

    def format(self, record: logging.LogRecord) -> str:
        start = f'{{"time":"{timestamp(record.created)}","level":"{record.levelname.lower()}",'
        if isinstance(record.msg, AccessRecord):
            return start + msgspec.json.encode(record.msg).decode()[1:]
        line = f'{start}"msg":{quoted(record.getMessage())}'
        if record.exc_info:
            line += f',"traceback":{quoted(self.formatException(record.exc_info))}'
        return line + "}"


def timestamp(seconds: float) -> str:
    """Return a Unix time in the format of RFC 3339, in UTC, to the millisecond."""
    whole = int(seconds)
    return f"{_to_the_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


@lru_cache(1)
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def quoted(text: str) -> str:
    """Return `text` as a JSON string without line breaks or control characters."""
    return json.dumps(text, ensure_ascii=False).translate(CONTROLS)


def configure_logging(settings: Settings) -> None:
    """Send all log records, those of libraries too, to standard error in the configured format."""
    root = logging.getLogger()
    if any(isinstance(handler, LogWriter) for handler in root.handlers):
        return
    # The lines do not show these, and collecting them costs as much as the rest of the line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # In a process that was started without standard error, descriptor 2 belongs to whichever file is opened next.
    writer = LogWriter(2 if sys.stderr is not None else os.open(os.devnull, os.O_WRONLY))
    writer.setFormatter(JSONFormatter() if settings.log_format == "json" else LogfmtFormatter())
    root.addHandler(writer)
    root.setLevel(logging.WARNING)
    for name in ("apidot", "uvicorn"):
        logging.getLogger(name).setLevel(settings.log_level.upper())


def set_unbuffered(unbuffered: bool) -> None:
    """Write each line immediately, as at start and at the end, or many at a time."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogWriter):
            handler.unbuffered = unbuffered
            handler.flush()
