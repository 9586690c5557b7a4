"""The floors: minimal applications that the service is compared with.

`constant` returns the content of the file named by the query string. `row` returns the score whose id is the query
string, read by its primary key with the pool of the driver itself.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

COLUMNS = (
    "id, score, pp, acc, max_combo, mods, n300, n100, n50, nmiss, ngeki, nkatu, grade, status, mode, play_time"
)
encode = msgspec.json.Encoder().encode
bodies: dict[bytes, bytes] = {}


class Row(msgspec.Struct, frozen=True):
    id: int
    score: int
    pp: float
    acc: float
    max_combo: int
    mods: int
    n300: int
    n100: int
    n50: int
    nmiss: int
    ngeki: int
    nkatu: int
    grade: str
    status: int
    mode: int
    play_time: datetime


async def _constant(request: Request) -> Response:
    name = request.scope["query_string"]
    body = bodies.get(name)
    if body is None:
        body = bodies[name] = _read(name.decode())
    return Response(body, media_type="application/json")


def _read(name: str) -> bytes:
    return Path(os.environ["BODIES"], name).read_bytes()


async def _row(request: Request) -> Response:
    pool = request.app.state.pool
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(f"SELECT {COLUMNS} FROM scores WHERE id = %s", (int(request.scope["query_string"]),))
        row = await cursor.fetchone()
    return Response(encode(Row(*row)), media_type="application/json")


@asynccontextmanager
async def _with_pool(app: Starlette) -> AsyncIterator[None]:
    parts = urlsplit(os.environ["DATABASE"])
    driver: Any = import_module(os.environ["DRIVER"])
    app.state.pool = await driver.create_pool(
        host=parts.hostname,
        port=parts.port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        db=parts.path.strip("/"),
        minsize=10,
        maxsize=10,
        autocommit=True,
    )
    try:
        yield
    finally:
        app.state.pool.close()
        await app.state.pool.wait_closed()


constant = Starlette(routes=[Route("/", _constant)])
row = Starlette(routes=[Route("/", _row)], lifespan=_with_pool)
