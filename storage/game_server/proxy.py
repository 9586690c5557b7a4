"""Passing requests on to the game server."""

import hashlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from yarl import URL

from storage.game_server.client import MAX_HEADER_BYTES, connector, origin_of

if TYPE_CHECKING:
    import aiohttp

# All printable ASCII characters, so that a path or query that is percent-encoded already is not encoded twice.
SAFE = "".join(map(chr, range(0x21, 0x7F)))


class GameServerProxy:
    """Sends requests to the game server at `url` without changing them.

    `id` is the same in all workers of a service. A service that passes its requests to this one has another id.
    """

    def __init__(self, url: str, *, host: str | None, connect_timeout: float) -> None:
        """`host` replaces the Host of every request, None keeps it. The timeout is in seconds."""
        import aiohttp

        self.host = host
        # The machine is part of it, because a URL such as http://127.0.0.1:10000 means another server on each.
        self.id = hashlib.sha256(f"{socket.gethostname()} {url}".encode()).hexdigest()[:12]
        self._origin = origin_of(url)
        self._session = aiohttp.ClientSession(
            connector=connector(url, 100),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def close(self) -> None:
        await self._session.close()

    async def send(
        self,
        method: str,
        target: tuple[bytes, bytes],
        headers: Sequence[tuple[str, str]],
        body: AsyncIterator[bytes] | None,
    ) -> "aiohttp.ClientResponse":
        """Send a request and return the response, whose body the caller reads, and which the caller closes.

        `target` is the raw path, which begins with a slash, and the raw query. Raise aiohttp.ClientError.
        """
        path, query = (quote_from_bytes(part, safe=SAFE) for part in target)
        # Built from parts, so that nothing in the path or the query can change the host.
        base = self._origin
        url = URL.build(
            scheme=base.scheme, host=base.host or "", port=base.port, path=path, query_string=query, encoded=True
        )
        return await self._session.request(method, url, headers=headers, data=body, allow_redirects=False)
