"""New scores over a WebSocket, in the messages of Ripple's API."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from websockets.frames import CloseCode

from api.reads.players import find_player
from api.response.cache import READS
from api.response.encoded import encode
from api.response.errors import response_to
from api.services import Services
from config.settings import Settings
from domain.errors import APIError, ErrorSpec, Unavailable
from domain.ripple import Identified, Identity, NewScore, Received, Sent, Subscriptions, in_play_mode
from domain.scores import Score
from storage.database import catalogue
from storage.events.event import Event, Filter
from storage.events.hub import Listener

UPGRADE_REQUIRED = ErrorSpec(
    426, "This is a WebSocket: connect to it with a client for those, with wss:// or ws://."
)
OTHER_ORIGIN = ErrorSpec(403, "Scripts of this origin may not read the API.")
UNKNOWN_TOKEN = "Nobody has this token."
UPGRADE_HEADERS = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
ALL_SCORES = Filter(types=frozenset({"score"}), include_failed=True)
# Nobody has this id.
NO_SCORES = msgspec.structs.replace(ALL_SCORES, players=frozenset({-1}))


class ScoreData(msgspec.Struct, frozen=True):
    """What is needed of the data of an event."""

    score: Score


_subscriptions = msgspec.json.Decoder(Subscriptions)
_identity = msgspec.json.Decoder(Identity)
_boolean = msgspec.json.Decoder(bool)
_received = msgspec.json.Decoder(Received)
_score_data = msgspec.json.Decoder(ScoreData)


class ScoreSocket:
    """The ASGI application of the WebSocket. Requests for anything else get a 426."""

    methods = READS
    # Its name in the log and in metrics.
    route = "/v1/ws"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await response_to(scope, UPGRADE_REQUIRED(), UPGRADE_HEADERS)(scope, receive, send)
            return
        services: Services = scope["state"]["services"]
        try:
            check_origin(Headers(scope=scope), services.settings)
            address = scope["client"][0] if scope["client"] else ""
            with services.events.listen(NO_SCORES, address=address) as listener:
                # For the request log: it is not in flight, and its time says nothing.
                scope["streaming"] = True
                await send({"type": "websocket.accept"})
                await Dialogue(services, listener, address, receive, send).run()
        except APIError as error:
            await response_to(scope, error)(scope, receive, send)


def check_origin(headers: Headers, settings: Settings) -> None:
    """Raise APIError if the handshake is from a page that may not read the API.

    Browsers do not ask for permission as they do before other requests, and the response needs none.
    """
    origin = headers.get("origin", "").lower()
    try:
        own = urlsplit(origin).netloc == headers.get("host", "").lower()
    except ValueError:
        # A URL that is none, such as http://[
        own = False
    if origin and not own and not {"*", origin} & set(settings.origins):
        raise OTHER_ORIGIN()


class Dialogue:
    """One client: answers its messages, and sends it the scores that it has subscribed to."""

    def __init__(self, services: Services, listener: Listener, address: str, receive: Receive, send: Send) -> None:
        """`listener` wants nothing yet."""
        self._services = services
        self._listener = listener
        self._address = address
        self._receive = receive
        self._send = send
        # By player: the modes whose scores are sent; an empty set stands for all modes, no player for all players.
        self._wanted: dict[int, frozenset[int]] = {}
        # Whether the listener gets events yet, and the answer to a subscription, which is sent once it does.
        self._listening = False
        self._pending: Sent | None = None
        # The listener is dropped if the client does not read.
        self._close_code = CloseCode.POLICY_VIOLATION
        self._answers: dict[str, Callable[[msgspec.Raw], Awaitable[None]]] = {
            "ping": self._pong,
            "subscribe_scores": self._subscribe,
            "subscribe_mp_complete_match": self._subscribe_matches,
            "identify": self._identify,
            "set_restricted_visibility": self._set_restricted_visibility,
        }

    async def run(self) -> None:
        """Talk to the client until it leaves, does not read what it is sent, or the service stops."""
        await self._tell(Sent("connected"))
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read())
            reading.add_done_callback(lambda _: self._listener.close())
            async for events in self._listener:
                for event in events:
                    await self._pass_on(event)
            reading.cancel()
        await self._send({"type": "websocket.close", "code": self._close_code})

    async def _read(self) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            if message["type"] == "websocket.receive":
                await self._answer(message.get("text"))

    async def _answer(self, text: str | None) -> None:
        try:
            if text is None:
                raise msgspec.ValidationError("Expected text, got binary data")
            received = _received.decode(text)
            answer = self._answers.get(received.type)
            if answer is None:
                raise msgspec.ValidationError("There is no message of this type")
            await answer(received.data)
        except msgspec.MsgspecError as error:
            await self._tell(Sent("invalid_message_type", str(error)))
        except RecursionError:
            await self._tell(Sent("invalid_message_type", "JSON is nested too deeply"))
        except (APIError, Unavailable) as error:
            await self._tell(Sent("unexpected_error", error.message))

    async def _pong(self, _: msgspec.Raw) -> None:
        await self._tell(Sent("pong"))

    async def _subscribe(self, data: msgspec.Raw) -> None:
        subscriptions = _subscriptions.decode(data)
        wanted: dict[int, frozenset[int]] = {}
        for subscription in subscriptions or ():
            modes, more = frozenset(subscription.modes or ()), wanted.get(subscription.user)
            wanted[subscription.user] = modes if more is None else modes | more if modes and more else frozenset()
        self._wanted = wanted
        self._listener.change(msgspec.structs.replace(ALL_SCORES, players=frozenset(wanted)))
        self._pending = Sent("subscribed_to_scores", subscriptions)
        if self._listening:
            await self._tell_pending()

    async def _subscribe_matches(self, _: msgspec.Raw) -> None:
        # The game server does not tell when a match has been completed.
        await self._tell(Sent("subscribed_mp_complete_match"))

    async def _identify(self, data: msgspec.Raw) -> None:
        account = await self._services.api_keys.owner(_identity.decode(data).token, self._address)
        player = account and await find_player(self._services, catalogue.player, id=account.id)
        if player:
            await self._tell(Sent("identified", Identified(id=player.id, username=player.name)))
        else:
            await self._tell(Sent("not_found", UNKNOWN_TOKEN))

    async def _set_restricted_visibility(self, data: msgspec.Raw) -> None:
        _boolean.decode(data)
        # Nobody is shown restricted players.
        await self._tell(Sent("restricted_visibility_set", False))

    async def _pass_on(self, event: Event) -> None:
        if event.type == "hello":
            self._listening = True
            await self._tell_pending()
        elif event.type == "bye":
            self._close_code = CloseCode.SERVICE_RESTART
        elif event.type == "score" and self._wants(event):
            await self._send_text(event.form("ripple", self._new_score))

    def _wants(self, event: Event) -> bool:
        # The subscription may have changed since the listener got the event.
        modes = self._wanted.get(event.player)
        if modes is None:
            return not self._wanted
        return not modes or in_play_mode(event.mode)[0] in modes

    def _new_score(self, event: Event) -> bytes:
        score = NewScore.of(_score_data.decode(event.data).score, self._services.settings.zone)
        return encode(Sent("new_score", score))

    async def _tell_pending(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            await self._tell(pending)

    async def _tell(self, message: Sent) -> None:
        await self._send_text(encode(message))

    async def _send_text(self, text: bytes) -> None:
        await self._send({"type": "websocket.send", "text": text.decode()})
