"""What the game server adds to the paths that apidot serves, and which requests are passed on to it for that.

A fork of bancho.py may take more parameters, more values of a parameter and more methods than apidot. It may have
paths such as /v2/players/friends, which apidot would take for a player. Its own /openapi.json declares them.
"""

import asyncio
import logging
import math
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from api.request.params import InvalidParams, Reader
from domain.errors import APIError
from storage.game_server.client import Down, GameServerClient, NoAnswer, NoPage
from storage.game_server.description import Declared, Operation, declared_by

log = logging.getLogger("apidot")

# How often the game server is asked what it declares, and how soon again if it does not answer.
LEARN_SECONDS = 600.0
RETRY_SECONDS = 15.0
# How long a worker waits for the first answer before it takes requests.
FIRST_SECONDS = 1.0
# A document may declare any number of paths; a request is compared with each template.
MAX_PATHS = 1000
MAX_TEMPLATES = 50
# How much is listed in the log.
MAX_LISTED = 20

_PARAMETER = re.compile(r"\{[^{}/]*\}")


class Served(Protocol):
    """An endpoint, as far as it is compared with what the game server declares."""

    route: str
    methods: tuple[str, ...]
    reader: Reader[Any]
    yields: bool
    yields_params: frozenset[str]
    may_lack: frozenset[tuple[str, str]]


class Addition(msgspec.Struct, frozen=True):
    """What the game server adds to a method of an endpoint: parameters, and values of ours, as (name, value)."""

    names: frozenset[str]
    values: frozenset[tuple[str, str]]

    def used_by(self, reader: Reader[Any], query: bytes, path_params: Mapping[str, str]) -> bool:
        """Return whether a request uses it, and no parameter of ours has a malformed value."""
        pairs = [*path_params.items(), *parse_qsl(query.decode("latin-1"), keep_blank_values=False)]
        if not any(name in self.names or (name, value) in self.values for name, value in pairs):
            return False
        try:
            reader.read(query, path_params)
        except InvalidParams as error:
            # Out of bounds is not malformed: the game server's bounds may be others.
            return not any(
                fault.error.malformed and (fault.loc[1], fault.text) not in self.values for fault in error.faults
            )
        except APIError:
            # The query is too long.
            return False
        return True

    def __str__(self) -> str:
        values = [f"{name}={value}" for name, value in sorted(self.values)]
        return _listed([*sorted(self.names), *values], ", ")


@dataclass(frozen=True)
class Additions:
    """What is passed on to the game server although apidot serves the path. False if that is nothing.

    All requests for the `paths` are passed on, under the paths that are their values, and all for the `templates`,
    in which a segment in braces stands for any text. The `methods` and the keys of the `operations` are pairs of a
    method and the route of an endpoint. So are those of `lacked`: the values among those that an endpoint may lack
    that the game server has.
    """

    paths: Mapping[str, str]
    templates: Mapping[str, re.Pattern[str]]
    methods: frozenset[tuple[str, str]]
    operations: Mapping[tuple[str, str], Addition]
    lacked: Mapping[tuple[str, str], frozenset[tuple[str, str]]]

    def __bool__(self) -> bool:
        return bool(self.paths or self.templates or self.methods or self.operations)

    def __contains__(self, path: str) -> bool:
        """Return whether every request for this path is passed on."""
        return path in self.paths or any(pattern.fullmatch(path) for pattern in self.templates.values())

    def place(self, path: str, raw_path: bytes) -> bytes:
        """Return the path under which the game server has this one, which a client has sent as `raw_path`."""
        # All forms of a path are one to clients, and the game server has only this one.
        place = self.paths.get(path) or (path if path.startswith("/v1/") else None)
        return place.encode() if place else raw_path.removesuffix(b"/")

    def used_by(self, method: str, endpoint: Served, query: bytes, path_params: Mapping[str, str]) -> bool:
        """Return whether a request to an endpoint uses anything that the game server adds to it."""
        if method == "HEAD" and method in endpoint.methods:
            method = "GET"
        key = (method, endpoint.route)
        if key in self.methods:
            return True
        addition = self.operations.get(key)
        return addition is not None and addition.used_by(endpoint.reader, query, path_params)

    def __str__(self) -> str:
        parts = [*self.paths.values(), *self.templates]
        parts += [f"{method} {_short(route)}" for method, route in sorted(self.methods)]
        parts += [f"{_short(route)} with {addition}" for (_, route), addition in self.operations.items()]
        return _listed(parts, "; ")


def additions_of(declared: Declared, served: Iterable[Served], pass_on: Mapping[str, str]) -> Additions:
    """Return what a game server that declares this adds to the endpoints that are `served`.

    Requests for the keys of `pass_on` are always passed on, under the paths that are its values. So are those for
    endpoints that yield to a game server that declares the same path.
    """
    by_shape = {_shape(endpoint.route): endpoint for endpoint in served}
    whole: list[str] = []
    methods: set[tuple[str, str]] = set()
    operations: dict[tuple[str, str], Addition] = {}
    lacked: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
    for declared_path, by_method in declared.items():
        path = declared_path.removesuffix("/")
        endpoint = by_shape.get(_shape(path))
        if endpoint is None:
            if any(_is_below(_shape(path), shape) for shape in by_shape):
                whole.append(path)
            continue
        if endpoint.yields and not by_method.keys().isdisjoint(endpoint.methods):
            whole.append(path)
            continue
        names = dict(zip(_names(path), _names(endpoint.route), strict=True))
        for method, operation in by_method.items():
            if method not in endpoint.methods:
                methods.add((method, endpoint.route))
                continue
            if has := endpoint.may_lack & _values(operation.query):
                lacked[method, endpoint.route] = has
            if addition := _addition(operation, endpoint, names):
                operations[method, endpoint.route] = addition
    paths = dict.fromkeys(path for path in whole if "{" not in path)
    templates = [path for path in [*pass_on, *whole] if "{" in path]
    return Additions(
        paths={path: path for path in islice(paths, MAX_PATHS)}
        | {path: place for path, place in pass_on.items() if "{" not in path},
        templates={path: re.compile(_regular_expression(path)) for path in islice(templates, MAX_TEMPLATES)},
        methods=frozenset(methods),
        operations=operations,
        lacked=lacked,
    )


def _names(path: str) -> list[str]:
    """Return the names of the path's parameters."""
    return [name.strip("{}") for name in _PARAMETER.findall(path)]


def _shape(path: str) -> str:
    """Return the path without the names of its parameters."""
    return _PARAMETER.sub("{}", path)


def _is_below(path: str, route: str) -> bool:
    """Return whether the endpoint of `route` would take the requests for `path`, which is more specific.

    Both are shapes. In the first segment in which they differ, only the route has a parameter.
    """
    theirs, ours = path.split("/"), route.split("/")
    different = [pair for pair in zip(theirs, ours, strict=False) if pair[0] != pair[1]]
    compatible = len(theirs) == len(ours) and all("{}" in pair for pair in different)
    return compatible and bool(different) and different[0][1] == "{}"


def _regular_expression(path: str) -> str:
    return "[^/]+".join(map(re.escape, _PARAMETER.split(path)))


def _values(parameters: Mapping[str, Iterable[str]]) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, values in parameters.items() for value in values)


def _addition(operation: Operation, endpoint: Served, names: Mapping[str, str]) -> Addition | None:
    """Return what an operation adds to an endpoint's parameters. `names` maps those in the path to our names."""
    in_path = {names[name]: values for name, values in operation.path.items() if name in names}
    enumerated = operation.query | in_path
    ours = endpoint.reader.names - endpoint.yields_params
    new = frozenset(enumerated) - ours
    values = frozenset(
        (name, value)
        for name in enumerated.keys() & ours
        for value in enumerated[name]
        if not endpoint.reader.accepts(name, value)
    )
    return Addition(new, values) if new or values else None


def _short(route: str) -> str:
    """Return the name by which an endpoint is known: `get_clan` for /v1/get_clan."""
    return route.removeprefix("/v1/")


def _listed(items: list[str], separator: str) -> str:
    """Return the items as a text, without those beyond the limit."""
    more = len(items) - MAX_LISTED
    return separator.join(items[:MAX_LISTED] + [f"and {more} more"] * (more > 0))


class LearnedAdditions:
    """Keeps the additions up to date: asks the game server every ten minutes what it declares."""

    def __init__(
        self,
        server: GameServerClient | None,
        additions: Callable[[Declared], Additions],
        on_change: Callable[[], None],
    ) -> None:
        """`additions` returns the additions of a declaration. Without `server`, nothing is learned.

        `on_change` is called after each change.
        """
        self._server = server
        self._additions = additions
        self._on_change = on_change
        self._asked = asyncio.Event()
        self.current = additions({})

    @asynccontextmanager
    async def kept_current(self) -> AsyncIterator[None]:
        """Ask the game server while the block runs. The block begins with the first answer, or after a second."""
        if self._server is None:
            yield
            return
        task = asyncio.create_task(self._run(self._server))
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), FIRST_SECONDS)
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self, server: GameServerClient) -> None:
        due = -math.inf
        while True:
            if time.monotonic() >= due:
                answered = await self._ask(server)
                self._asked.set()
                due = time.monotonic() + (LEARN_SECONDS if answered else RETRY_SECONDS)
            # Not until then, because tests put this clock forward.
            await asyncio.sleep(1)

    async def _ask(self, server: GameServerClient) -> bool:
        """Learn what the game server declares, unless it declares nothing. Return whether it has answered."""
        try:
            declared = await declared_by(server)
        except (Down, NoAnswer) as error:
            # What it declared last still counts.
            return isinstance(error, NoPage)
        additions = await asyncio.to_thread(self._additions, declared)
        if additions != self.current:
            log.info("passed on to the game server: %s", additions or "only paths that apidot does not serve")
            self.current = additions
            self._on_change()
        return True
