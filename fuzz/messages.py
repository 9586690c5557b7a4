"""Requests as they are sent: their parts, their bytes, smaller versions of them, and commands that repeat them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from shlex import quote
from typing import TypeVar

Header = tuple[bytes, bytes]
Items = TypeVar("Items", bytes, tuple[bytes, ...], tuple[tuple[bytes, bytes], ...], tuple["Request", ...])


@dataclass(frozen=True)
class Request:
    """A request whose framing is right: one response, or the end of the connection, must follow.

    `chunk` is the size of the chunks in which the body is sent; 0: it is sent with Content-Length.
    """

    method: bytes
    path: bytes
    query: tuple[bytes, ...] = ()
    headers: tuple[Header, ...] = ()
    body: bytes | None = None
    chunk: int = 0

    @property
    def target(self) -> bytes:
        return self.path + (b"?" + b"&".join(self.query) if self.query else b"")

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a header, which is given in lower case."""
        return [value for header, value in self.headers if header.lower() == name]

    def encode(self) -> bytes:
        """Return the request as bytes."""
        lines = [b"%b %b HTTP/1.1" % (self.method, self.target), *(b"%b: %b" % header for header in self.headers)]
        body = self.body
        if body is not None and self.chunk:
            lines.append(b"Transfer-Encoding: chunked")
            pieces = [body[start : start + self.chunk] for start in range(0, len(body), self.chunk)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        elif body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", body or b""])

    def smaller(self) -> Iterator["Request"]:
        """Yield versions of it with less in them, the smallest ones first."""
        if self.body:
            yield replace(self, body=b"")
            yield from (replace(self, body=half) for half in halves(self.body))
        if self.chunk:
            yield replace(self, chunk=0)
        yield from (replace(self, query=query) for query in without(self.query))
        # The first one is Host, which is required.
        yield from (replace(self, headers=(self.headers[0], *headers)) for headers in without(self.headers[1:]))
        for index, text in enumerate(self.query):
            for half in halves(text):
                yield replace(self, query=(*self.query[:index], half, *self.query[index + 1 :]))
        for index, (name, value) in enumerate(self.headers):
            if index:
                for half in halves(value):
                    headers = (*self.headers[:index], (name, half), *self.headers[index + 1 :])
                    yield replace(self, headers=headers)

    def curl(self, url: str) -> str:
        """Return a command that sends it, with the body from standard input if it is not text."""
        words = ["curl", "-i", "-g", "--path-as-is"]
        words += ["--head"] if self.method == b"HEAD" else ["-X", shell(self.method)]
        words += [
            word for name, value in self.headers if name != b"Host" for word in ("-H", shell(name + b": " + value))
        ]
        if self.chunk:
            words += ["-H", "'Transfer-Encoding: chunked'"]
        if self.body is not None:
            if all(name.lower() != b"content-type" for name, _ in self.headers):
                words += ["-H", "Content-Type:"]
            words += ["--data-binary", "@-" if b"\0" in self.body else shell(self.body)]
        if self.target.startswith(b"/"):
            words.append(shell(url.encode() + self.target))
        else:
            words += ["--request-target", shell(self.target), url]
        command = " ".join(words)
        return f"printf {printf(self.body)} | {command}" if self.body and b"\0" in self.body else command


@dataclass(frozen=True)
class Case:
    """What is sent on a connection, as number `number` of a run.

    `raw`: bytes that may be no HTTP, after which the client shuts down its sending side. Otherwise it is the
    requests, of which the client sends the next ones before it has received the responses. `cuts` are the
    positions at which the bytes are divided into several writes.
    """

    number: int
    requests: tuple[Request, ...] = ()
    raw: bytes | None = None
    cuts: tuple[int, ...] = ()

    def cut(self, *cuts: int) -> "Case":
        """Return it with the bytes divided at these positions."""
        return replace(self, cuts=cuts)

    def encode(self) -> bytes:
        return b"".join(request.encode() for request in self.requests) if self.raw is None else self.raw

    def smaller(self) -> Iterator["Case"]:
        """Yield versions of it with less in them, the smallest ones first."""
        if self.cuts:
            yield replace(self, cuts=())
        if self.raw is not None:
            yield from (replace(self, raw=raw) for raw in without(self.raw))
        if len(self.requests) > 1:
            yield from (replace(self, requests=(request,)) for request in self.requests)
            yield from (replace(self, requests=requests) for requests in without(self.requests))
        if len(self.requests) == 1:
            for request in self.requests[0].smaller():
                yield replace(self, requests=(request,))

    def commands(self, host: str, port: int) -> str:
        """Return commands that send it from a shell."""
        netcat = f"printf {printf(self.encode())} | nc {'-N ' if self.raw is not None else ''}{host} {port}"
        if len(self.requests) == 1:
            return f"{self.requests[0].curl(f'http://{host}:{port}')}\n{netcat}"
        return netcat


def without(items: Items) -> Iterator[Items]:
    """Yield `items` without a half of them, without a quarter, and so on."""
    size = (len(items) + 1) // 2
    while size:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size :]
        size //= 2


def halves(text: bytes) -> Iterator[bytes]:
    if len(text) > 1:
        middle = len(text) // 2
        yield text[:middle]
        yield text[middle:]


def shell(text: bytes) -> str:
    """Return `text` as a word for a shell that knows $'…'."""
    if all(0x20 <= byte < 0x7F for byte in text):
        return quote(text.decode())
    return "$'" + "".join(_escaped(byte) for byte in text) + "'"


def printf(text: bytes) -> str:
    """Return `text` as a format for the shell's printf."""
    return "'" + "".join("%%" if byte == 0x25 else _escaped(byte) for byte in text) + "'"


def _escaped(byte: int) -> str:
    printable = 0x20 <= byte < 0x7F and byte not in b"'\\"
    # Three octal digits: a longer number would take in the digits that follow.
    return chr(byte) if printable else f"\\{byte:03o}"
