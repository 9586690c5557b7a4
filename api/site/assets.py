"""Static files held in memory: the pages for browsers, and the scripts, styles and images they load."""

import mimetypes

from api.response.cache import READS
from api.response.encoded import EncodedResponse


class Asset(EncodedResponse):
    """An ASGI application that serves one file, compressed to clients that accept that."""

    methods = READS
    # Its name in the log and in metrics.
    route = "/docs"

    def __init__(
        self, name: str, content: bytes, cache_control: bytes, *headers: tuple[bytes, bytes], status: int = 200
    ) -> None:
        """The media type follows from the suffix of `name`."""
        super().__init__(content, cache_control, ages=False)
        self.status = status
        self.media_type = f"{mimetypes.guess_type(name)[0]}; charset=utf-8".encode()
        self._headers += [(b"x-content-type-options", b"nosniff"), *headers]
