"""A server that speaks the protocol of Redis and answers commands with nonsense."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.redis_stub import redis_stub

SILENCE = b""
REPLIES = (
    b"$-1\r\n",  # nil
    b"*-1\r\n",
    b"+text\r\n",
    b"$4\r\ntext\r\n",
    b":7\r\n",
    b":99999999999999999999999999\r\n",
    b"*0\r\n",
    b"*1\r\n:1\r\n",
    b"*3\r\n$-1\r\n+text\r\n:-5\r\n",
    b"*2\r\n*2\r\n:1\r\n:2\r\n*0\r\n",
    b"*16\r\n" + b"$4\r\ntext\r\n" * 16,
    b"*16\r\n" + b":-1\r\n" * 16,
    b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    b"-NOAUTH Authentication required.\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    b"-READONLY You can't write against a read only replica.\r\n",
    b"-BUSY Redis is busy running a script.\r\n",
    b"-MOVED 3999 127.0.0.1:1\r\n",
    b"-NOSCRIPT No matching script.\r\n",
    b"%1\r\n+a\r\n+b\r\n",
    b"$999999999\r\nshort\r\n",
    b"*2\r\n:1\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x00\xff\xfe garbage \r\n",
    SILENCE,
)


@contextmanager
def nonsense(port: int) -> Iterator[None]:
    """Run the server on a port of this machine. Each command gets the next one of REPLIES."""
    replies = itertools.cycle(REPLIES)
    with redis_stub(port) as stub:
        stub.answer = lambda _: iter([next(replies)])
        yield
