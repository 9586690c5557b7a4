"""One URL of the osu! API v1: its parameters and API keys are read as there."""

from starlette.types import Receive, Scope, Send

from api.endpoint import Endpoint, Handler
from api.osu_v1.params import LenientReader
from api.request.osu_v1 import key_in
from api.response.errors import OSU_V1_INVALID_KEY
from api.services import Services


class OsuEndpoint(Endpoint):
    """An ASGI application around a handler of the osu! API v1."""

    def __init__(self, handler: Handler, *, seconds: float = 0) -> None:
        super().__init__(handler, seconds=seconds)
        self.reader = LenientReader(self.params)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        services: Services = scope["state"]["services"]
        if services.settings.osu_api_v1_key == "required":
            # Not to be sent to the next one before the key was looked at.
            scope["checks_key"] = True
            await require_key(services, key_in(scope["query_string"]), scope)
        await super().__call__(scope, receive, send)


async def require_key(services: Services, key: str, scope: Scope) -> None:
    """Raise OSU_V1_INVALID_KEY unless a visible player has the key, or a 429 after too many wrong ones."""
    client = scope.get("client")
    account = await services.api_keys.owner(key, client[0] if client else "") if key else None
    visible = services.settings.visible
    if account is None or account.priv & visible != visible:
        raise OSU_V1_INVALID_KEY()
