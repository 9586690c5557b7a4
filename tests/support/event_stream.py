"""A client of /v1/events that reads in a thread."""

import itertools
import json
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx2


class Received(NamedTuple):
    """An event, and the time of time.monotonic() at which it came. `id` is the cursor, empty without one."""

    type: str
    id: str
    text: str
    at: float

    @property
    def data(self) -> Any:
        return json.loads(self.text)

    @property
    def score(self) -> int:
        """The id of the score in the event."""
        id: int = self.data["score"]["id"]
        return id


class EventClient:
    """A stream of events. `last_id` is the id that a browser would send when it connects again."""

    def __init__(self, url: str, header: str = "", **params: object) -> None:
        """Connect. `params` are those of the query, `header` is Last-Event-ID."""
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self.last_id = header
        headers = {"Last-Event-ID": header} if header else {}
        self._connection.request("GET", f"/v1/events?{urlencode(params)}", headers=headers)
        self._socket: socket.socket = self._connection.sock
        self.response: HTTPResponse = self._connection.getresponse()
        self.status = self.response.status
        self.comments = 0
        self.all: list[Received] = []
        self.ended = threading.Event()
        # Whether the server has sent the end of the response.
        self.complete = False
        self._queue: queue.Queue[Received] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def next(self, type: str, seconds: float = 10) -> Received:
        """Return the next event, which must be of this type. Raise queue.Empty if it does not come."""
        event = self._queue.get(timeout=seconds)
        assert event.type == type, f"{event.type} {event.text[:200]}"
        return event

    def rest(self, seconds: float) -> list[Received]:
        """Return what has come and comes within this time."""
        deadline = time.monotonic() + seconds
        events = []
        with suppress(queue.Empty):
            while True:
                events.append(self._queue.get(timeout=max(deadline - time.monotonic(), 0.001)))
        return events

    def close(self) -> None:
        """Leave, as a client does that is closed."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._connection.close()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for line in self.response:
                text = line.decode().rstrip("\n")
                if text.startswith(":"):
                    self.comments += 1
                elif text:
                    name, _, value = text.partition(": ")
                    fields[name] = value
                elif fields:
                    self._dispatch(fields)
                    fields = {}
            self.complete = True
        except (OSError, ValueError, AttributeError, HTTPException):
            # It was closed, here or there.
            pass
        self.ended.set()

    def _dispatch(self, fields: dict[str, str]) -> None:
        self.last_id = fields.get("id", self.last_id)
        if "data" in fields:
            event = Received(fields["event"], fields.get("id", ""), fields["data"], time.monotonic())
            self.all.append(event)
            self._queue.put(event)


class Browser:
    """A client that connects again with the id of the last event, as a browser does with EventSource."""

    def __init__(self, *urls: str, **params: object) -> None:
        """It connects to each of the services in turn."""
        self._urls, self._params = itertools.cycle(urls), params
        self._stop, self._leave = threading.Event(), threading.Event()
        self.last_id = ""
        self.all: list[Received] = []
        self.begun = threading.Event()
        self.connections = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def scores(self) -> list[int]:
        """The ids of the scores that it was told, in the order in which they came."""
        return [event.score for event in list(self.all) if event.type == "score"]

    def reconnect(self) -> None:
        """Leave, and connect again at once."""
        self._leave.set()

    def close(self) -> None:
        """Leave for good."""
        self._stop.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(OSError, HTTPException):
                self._listen(EventClient(next(self._urls), self.last_id, **self._params))
            self._stop.wait(0.1)

    def _listen(self, stream: EventClient) -> None:
        self.connections += stream.status == 200
        self._leave.clear()
        try:
            while not (self._stop.is_set() or self._leave.is_set() or stream.ended.is_set()):
                self._take(stream, 0.05)
            if not self._leave.is_set():
                self._take(stream, 0.0)
        finally:
            stream.close()

    def _take(self, stream: EventClient, seconds: float) -> None:
        for event in stream.rest(seconds):
            self.all.append(event)
            # Only with what was taken, as a browser's.
            self.last_id = event.id or self.last_id
            if event.type == "hello":
                self.last_id = self.last_id or event.data["last_id"] or ""
                self.begun.set()


@contextmanager
def listening(client: httpx2.Client, header: str = "", **params: object) -> Iterator[EventClient]:
    """Open a stream of the service of `client`, and close it at the end."""
    stream = EventClient(str(client.base_url), header, **params)
    try:
        yield stream
    finally:
        stream.close()
