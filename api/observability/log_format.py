"""The log: what a line looks like, for people and for programs."""

import json
import logging
import os
import sys
import time

import msgspec

from api.observability.access_log import AccessRecord
from api.observability.log_writer import Writer
from config.settings import Settings

# What would end a line on some terminal or in some reader, or steer it.
CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}
encode = msgspec.json.Encoder().encode


class Clock:
    """The time as text, UTC, to the millisecond; the second is written once."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def text(self, now: float) -> str:
        """`now` is in unix seconds."""
        second = int(now)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{int((now - second) * 1000):03d}Z"


class Text(logging.Formatter):
    """name=value, the form called logfmt; a traceback follows on lines of its own, which are indented."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = Clock()

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        start = f"time={self._clock.text(record.created)} level={record.levelname.lower()}"
        if isinstance(record.msg, AccessRecord):
            return f"{start} {record.msg}"
        line = f"{start} msg={quoted(record.getMessage())}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).translate(CONTROLS)
            # Indented, so that nothing in it can pass for a line of ours.
            line += "".join(f"\n    {each}" for each in trace.splitlines())
        return line


class JSON(logging.Formatter):
    """An object a line, with the same names."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = Clock()

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        head = f'{{"time":"{self._clock.text(record.created)}","level":"{record.levelname.lower()}",'
        if isinstance(record.msg, AccessRecord):
            return head + encode(record.msg).decode()[1:]
        line = f'{head}"msg":{quoted(record.getMessage())}'
        if record.exc_info:
            line += f',"traceback":{quoted(self.formatException(record.exc_info))}'
        return line + "}"


def quoted(text: str) -> str:
    """The text in quotes, on one line."""
    return json.dumps(text, ensure_ascii=False).translate(CONTROLS)


def set_up(settings: Settings) -> None:
    """Sends everything that is logged, by libraries too, to standard error in the form that is set."""
    root = logging.getLogger()
    if any(isinstance(handler, Writer) for handler in root.handlers):
        return
    # Nobody reads who logged what from where, and finding out costs as much as the line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    writer = Writer(standard_error())
    writer.setFormatter(JSON() if settings.log_format == "json" else Text())
    root.addHandler(writer)
    root.setLevel(logging.WARNING)
    for name in ("apidot", "uvicorn"):
        logging.getLogger(name).setLevel(settings.log_level.upper())


def standard_error() -> int:
    """The number of standard error; of nothing, when the process was started without one.

    Its number then belongs to whichever file or connection is opened next.
    """
    return 2 if sys.stderr is not None else os.open(os.devnull, os.O_WRONLY)


def at_once(yes: bool) -> None:
    """Whether each line is written at once, as at the start and at the end, or many at a time."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Writer):
            handler.at_once = yes
            handler.flush()
