"""The game server as requests are passed on to it."""

from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote_from_bytes

import aiohttp
from yarl import URL

from storage.game_server.client import connector

# Everything that may stand in the path and the query of a request line, so that what is encoded stays so.
AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))


class GameServerProxy:
    """A game server at `url` that takes requests of others as they are."""

    def __init__(self, url: str, *, host: str | None, connect_timeout: float) -> None:
        """`host` is the name it goes by, None to keep the one a request came with; the timeout is in seconds."""
        self.host = host
        self._url = URL(url)
        self._session = aiohttp.ClientSession(
            connector=connector(100),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def send(
        self,
        method: str,
        target: tuple[bytes, bytes],
        headers: Sequence[tuple[str, str]],
        body: AsyncIterator[bytes] | None,
    ) -> aiohttp.ClientResponse:
        """The head of the answer to a request for `target`, a raw path that begins with a slash and a raw query.

        The caller reads the rest and closes it. Raises aiohttp.ClientError.
        """
        path, query = (quote_from_bytes(part, safe=AS_IT_IS) for part in target)
        # Built from parts: nothing in the path or the query can change where it goes.
        base = self._url
        url = URL.build(
            scheme=base.scheme, host=base.host or "", port=base.port, path=path, query_string=query, encoded=True
        )
        return await self._session.request(method, url, headers=headers, data=body, allow_redirects=False)
