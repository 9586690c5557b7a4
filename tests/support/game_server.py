"""A game server for tests: the pages and the API of a real one over HTTP, and every way to fail."""

import asyncio
import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from aiohttp import web

from tests.support.processes import free_port

DOMAIN = "example.test"
STATUS_V2 = re.compile(r"/v2/players/([0-9]+)/status")
MODES = Literal["up", "slow", "hung", "failing", "html", "nonsense"]
FRAME = """
<!DOCTYPE html>
<body style="font-family: monospace;  white-space: pre-wrap;"><a href="/">back</a>
{}
</body>
</html>"""
MAINTENANCE = "<html><body>We are back soon.\nusers of all kinds: thank you</body></html>"
IDLE = {"action": 0, "info_text": "", "mode": 0, "mods": 0, "beatmap": None}


class Seen(NamedTuple):
    """A request that has reached the game server."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name]


class GameServer:
    """Runs in a thread. Tests may change the attributes that it responds with at any time."""

    def __init__(self, generation: Literal["/v1/", "/"] = "/v1/", socket: Path | None = None) -> None:
        """It listens on the Unix socket, or else on a port."""
        self.generation = generation
        self.port = free_port()
        self.socket = socket
        self.mode: MODES = "up"
        self.delay = 0.0
        self.slow: dict[str, float] = {}  # seconds by target
        self.has_v2 = generation == "/v1/"
        # A player who has left stays in `statuses`, as in a real API, and is removed from `users`.
        self.users: dict[int, str] = {}
        self.bots = {1: "banchobot"}
        self.statuses: dict[int, Any] = {}
        self.matches: dict[int, dict[str, Any]] = {}
        self.missing: set[str] = set()  # pages that a fork has removed
        self.other_pages: tuple[int, bytes] | None = None  # status and body in place of the pages
        self.broken: set[str] = set()  # targets that respond with 500
        self.description: bytes | None = None  # its /openapi.json
        self.own: set[str] = set()  # paths of version 1 that a fork answers in its own way
        self.asked: Counter[str] = Counter()  # requests by target
        self.seen: list[Seen] = []
        self.received = 0  # bytes of an upload so far
        self._go_on = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"unix:{self.socket}" if self.socket else f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen for connections."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def stop(self) -> None:
        """Refuse new connections and close the open ones."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def go_on(self, go: bool = True) -> None:
        """Let /fork/stream write its second half, or hold it back."""
        self._loop.call_soon_threadsafe(self._go_on.set if go else self._go_on.clear)

    async def _start(self) -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{anything:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, keepalive_timeout=5)
        await self._runner.setup()
        if self.socket:
            await web.UnixSite(self._runner, self.socket).start()
        else:
            await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        # Requests that hang.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        target = request.raw_path
        self.asked[target] += 1
        if self.mode == "hung":
            await asyncio.sleep(3600)
        await asyncio.sleep(self.slow.get(target, self.delay))
        if self.mode == "failing" or target in self.broken:
            return web.Response(status=500, text="Internal Server Error")
        if self.mode == "html":
            return web.Response(text=MAINTENANCE, content_type="text/html")
        if self.mode == "nonsense":
            return web.json_response(
                {"status": "success", "player_status": 1, "match": [], "counts": {"online": -1}}
            )
        host = request.host.partition(":")[0].lower()
        name = request.path.removeprefix(self.generation)
        if host in (f"c.{DOMAIN}", "c.ppy.sh") and request.path in ("/online", "/matches"):
            return self._page(request.path)
        if request.path == "/openapi.json" and self.description is not None:
            return web.Response(body=self.description, content_type="application/json")
        if request.method == "GET" and (player := STATUS_V2.fullmatch(request.path)):
            if not self.has_v2:
                return web.json_response({"detail": "Not Found"}, status=404)
            return self._status_v2(int(player[1]))
        if request.path.startswith(("/fork/", "/v2/")) or request.path in self.own:
            return await self._fork(request)
        if host in (f"api.{DOMAIN}", "api.ppy.sh") and request.path.startswith(self.generation):
            return self._api(name, request)
        return web.json_response({"detail": "Not Found"}, status=404)

    def _page(self, path: str) -> web.Response:
        if path in self.missing:
            return web.json_response({"detail": "Not Found"}, status=404)
        if self.other_pages:
            return web.Response(status=self.other_pages[0], body=self.other_pages[1])
        lines = self._online() if path == "/online" else self._listed()
        return web.Response(text=FRAME.format("\n".join(lines)), content_type="text/html")

    def _online(self) -> Iterator[str]:
        width = max(len(str(id)) for id in (*self.users, *self.bots))
        for title, people in (("users:", self.users), ("bots:", self.bots)):
            yield title
            yield from [f"({id:>{width}}): {name}" for id, name in people.items()] or [""]

    def _listed(self) -> Iterator[str]:
        yield "matches:"
        for id, match in self.matches.items():
            host = match["host"]
            yield f"{'ongoing' if match['in_progress'] else 'idle':<7} ({id}): {match['name']}"
            yield f"-- beatmap: {match['map']['name']}"
            yield f"-- host   : <{host['id']}> {host['name'].lower().replace(' ', '_')}"

    def _status_v2(self, player: int) -> web.Response:
        status = self.statuses.get(player)
        if status is None or status["online"] is False:
            failure = {"status": "error", "error": "Player status not found."}
            return web.json_response(failure, status=404)
        data = {"login_time": int(status["login_time"]), "beatmap_id": 0} | status["status"]
        if beatmap := data.pop("beatmap", None):
            data["beatmap_id"] = beatmap["id"]
        return web.json_response({"status": "success", "data": data, "meta": {}})

    def _api(self, name: str, request: web.Request) -> web.Response:
        if name == "get_player_count":
            return web.json_response({"status": "success", "counts": {"online": len(self.users), "total": 9}})
        if name == "get_player_status":
            status = self.statuses.get(int(request.query.get("id", 1)))
            if status is None:
                return web.json_response({"status": "Player not found."}, status=404)
            return web.json_response({"status": "success", "player_status": status})
        if name == "get_match":
            match = self.matches.get(int(request.query["id"]))
            if not 1 <= int(request.query["id"]) <= 64:
                return web.json_response({"detail": [{"loc": ["query", "id"]}]}, status=422)
            if match is None:
                return web.json_response({"status": "Match not found."}, status=404)
            return web.json_response({"status": "success", "match": match})
        return web.json_response({"detail": "Not Found"}, status=404)

    async def _fork(self, request: web.Request) -> web.StreamResponse:
        """Handle paths that a fork might have added."""
        name = request.path.removeprefix("/fork/")
        if name == "early":
            return web.Response(status=401, text="no")
        if name == "stream":
            return await self._stream(request)
        body = bytearray()
        self.received = 0
        async for chunk in request.content.iter_any():
            body += chunk
            self.received = len(body)
        headers = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in request.raw_headers]
        self.seen.append(Seen(request.method, request.raw_path, headers, bytes(body)))
        return getattr(self, f"_fork_{name}", self._fork_echo)(self.seen[-1])

    def _fork_echo(self, seen: Seen) -> web.Response:
        response = web.json_response({"method": seen.method, "sha256": hashlib.sha256(seen.body).hexdigest()})
        response.headers.add("Set-Cookie", "one=1; Path=/")
        response.headers.add("Set-Cookie", "two=2; HttpOnly")
        response.headers.update(
            {"X-Fork": "yes", "Connection": "X-Private", "X-Private": "1", "Keep-Alive": "timeout=1"}
        )
        return response

    def _fork_zipped(self, _: Seen) -> web.Response:
        return web.Response(body=b"\x1f\x8b not really", headers={"Content-Encoding": "gzip", "ETag": '"z"'})

    def _fork_moved(self, _: Seen) -> web.Response:
        return web.Response(status=302, headers={"Location": "/fork/echo"})

    def _fork_unchanged(self, _: Seen) -> web.Response:
        return web.Response(status=304, headers={"ETag": '"same"'})

    def _fork_cors(self, _: Seen) -> web.Response:
        return web.json_response(
            {}, headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"}
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        await response.write(b"first")
        await self._go_on.wait()
        if "cut" not in request.query:
            await response.write(b"after")
        elif request.transport:
            request.transport.close()
        return response


def match(name: str, host: tuple[int, str], *, in_progress: bool = False) -> dict[str, Any]:
    """Return a match as the game server's API shows it, with its host alone."""
    owner = {"id": host[0], "name": host[1]}
    return {
        "name": name,
        "mode": 0,
        "mods": 64,
        "seed": 7,
        "host": owner,
        "refs": [owner],
        "in_progress": in_progress,
        "is_scrimming": False,
        "map": {"id": -1, "md5": "", "name": "t+pazolite - Endless 之歌 [Hard]"},
        "active_slots": {"0": slot(*host)},
    }


def slot(id: int, name: str, **changes: Any) -> dict[str, Any]:
    """Return an occupied slot of a match."""
    player = {"id": id, "name": name}
    return {"loaded": False, "mods": 8, "player": player, "skipped": False, "status": 4, "team": 0} | changes


def playing(**changes: Any) -> dict[str, Any]:
    """Return the status of a player who is playing a beatmap."""
    beatmap = {"md5": "53ddce7b66652d1849af8d9171a00b25", "id": 78, "title": "Endless 之歌"}
    song = {
        "action": 2,
        "info_text": "t+pazolite - Endless 之歌 [Hard]",
        "mode": 0,
        "mods": 72,
        "beatmap": beatmap,
    }
    return {"online": True, "login_time": 1795456424.5144563, "status": song | changes}


@contextmanager
def game_server(generation: Literal["/v1/", "/"] = "/v1/", socket: Path | None = None) -> Iterator[GameServer]:
    """Run a game server: 12 is playing, 5 is idle, 134 is hidden, 57 has left but is online in the API."""
    server = GameServer(generation, socket)
    server.users = {12: "jaxtal66314", 5: "bel_ren44453", 134: "keivor"}
    idle = {"online": True, "login_time": 1795456425.0, "status": IDLE}
    server.statuses = {12: playing(), 5: idle, 134: idle, 57: playing(), 1: idle | {"login_time": 2147483647.0}}
    server.statuses[130] = {"online": False, "last_seen": 1}
    server.start()
    try:
        yield server
    finally:
        server.close()
