"""Request bodies that are missing, invalid, truncated or endless."""

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope

from api.request import body as bodies
from api.request.body import Body
from api.request.multipart import parts
from domain.errors import APIError
from tests.conftest import PLAYER, Playground, signed
from tests.storage.files.test_avatars import encoded

MIB = 2**20
LIMIT = 4 * MIB
BOUNDARY = "multipart/form-data; boundary=xxx"
FORM = "application/x-www-form-urlencoded"
TOO_LARGE = {"status": "avatar file too large (max 4MB)."}
MISSING = {"status": "must provide avatar file."}


def send(world: Playground, path: str, body: Any, content_type: str | None = None) -> httpx2.Response:
    headers = signed(PLAYER) | ({} if content_type is None else {"Content-Type": content_type})
    return world.client.post(f"/v1/{path}", headers=headers, content=body)


def part(name: str, content: bytes) -> bytes:
    head = f'--xxx\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = b"--xxx--\r\n"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "text"),
    [
        (b"", None, 400, MISSING["status"]),
        (b"", BOUNDARY, 400, "The multipart body breaks off."),
        (END, BOUNDARY, 400, MISSING["status"]),
        (part("picture", b"x") + END, BOUNDARY, 400, MISSING["status"]),
        (part("avatar", b"") + END, BOUNDARY, 400, MISSING["status"]),
        (part("avatar", encoded("PNG")), BOUNDARY, 400, "The multipart body breaks off."),
        (part("avatar", encoded("PNG"))[:100], BOUNDARY, 400, "The multipart body breaks off."),
        (part("avatar", encoded("PNG")) + END, "multipart/form-data", 400, "The multipart body cannot be read."),
        (part("avatar", encoded("PNG")) + END, BOUNDARY + "y", 400, "The multipart body cannot be read."),
        (part("a", b"x") * 200 + END, BOUNDARY, 400, "The multipart body cannot be read."),
        (part("avatar", b"not an image") + END, BOUNDARY, 400, "invalid file type."),
        (b'{"avatar": "x"}', "application/json", 400, "invalid file type."),
        (b"x" * (LIMIT + 1), "image/png", 400, TOO_LARGE["status"]),
        (part("avatar", b"x" * (LIMIT + 1)) + END, BOUNDARY, 400, TOO_LARGE["status"]),
        (part("avatar", b"x" * LIMIT) + END, BOUNDARY, 400, "invalid file type."),
    ],
)
def test_avatar_bodies(
    on_sqlite: Playground, body: bytes, content_type: str | None, status: int, text: str
) -> None:
    answer = send(on_sqlite, "set_avatar", body, content_type)

    assert (answer.status_code, answer.json()) == (status, {"status": text})


@pytest.mark.parametrize("body", [b"--xyz", b"--xxx y", b"--xxx\ry"])
def test_a_multipart_body_that_cannot_be_read_is_not_logged(on_sqlite: Playground, body: bytes) -> None:
    before = on_sqlite.process.log.read_text()
    assert send(on_sqlite, "set_avatar", body, BOUNDARY).status_code == 400
    assert "level=warning" not in on_sqlite.process.log.read_text().removeprefix(before)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "text"),
    [
        (b"", None, 400, "Must provide a body: JSON or a form."),
        (b"x", None, 415, "The body must be JSON or a form."),
        (b"x", "text/plain", 415, "The body must be JSON or a form."),
        (b"", "application/json", 400, "The body is not a JSON object."),
        (b"[]", "application/json", 400, "The body is not a JSON object."),
        (b'{"play_style": 1', "application/json", 400, "The body is not a JSON object."),
        (b'{"userpage_content": "\xff"}', "application/json", 400, "The body is not a JSON object."),
        (b'{"userpage_content": "\\ud800"}', "application/json", 400, "The body is not a JSON object."),
        (b"[" * 60_000, "application/json", 400, "The body is not a JSON object."),
        (
            b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
            "application/json",
            400,
            "The body is not a JSON object.",
        ),
        (
            b'{"play_style":' + b"[" * 900 + b"]" * 900 + b"}",
            "application/json",
            400,
            "play_style must be a whole number from 0.",
        ),
        (b'{"play_style":' + b"9" * 60_000 + b"}", "application/json", 400, "The body is not a JSON object."),
        (b"play_style=" + b"9" * 60_000, FORM, 400, "play_style must be a whole number from 0."),
        (b"", "multipart/form-data; boundary=" + "x" * 4000, 400, "The multipart body cannot be read."),
        (part("a", b"x") * 200 + END, BOUNDARY, 400, "The multipart body cannot be read."),
        (b"--xxx\r\n" * 7000, BOUNDARY, 400, "The multipart body cannot be read."),
        (b"--xxx\r\n" + b"A: b\r\n" * 9000, BOUNDARY, 400, "The multipart body cannot be read."),
        (b"userpage_content=\xff", FORM, 400, "The form cannot be read."),
        (b"a=1&" * 200, FORM, 400, "The form cannot be read."),
        (part("userpage_content", b"\xff") + END, BOUNDARY, 400, "The form cannot be read."),
        (b"x" * 65_537, "application/json", 413, "The body is larger than 65536 bytes."),
    ],
)
def test_profile_bodies(
    on_sqlite: Playground, body: bytes, content_type: str | None, status: int, text: str
) -> None:
    answer = send(on_sqlite, "set_player_info", body, content_type)

    assert (answer.status_code, answer.json()) == (status, {"status": text})


@pytest.mark.parametrize("depth", [1000, 10_000])
def test_a_body_of_many_levels(on_sqlite: Playground, depth: int) -> None:
    answer = send(on_sqlite, "set_player_info", b'{"a":' * depth + b"1" + b"}" * depth, "application/json")

    assert answer.status_code == 400
    # Python 3.11 reads fewer levels than newer versions.
    assert re.match("The body is not a JSON object|a is not a field to change", answer.json()["status"])


def test_an_image_of_exactly_the_limit_is_accepted(on_sqlite: Playground) -> None:
    image = encoded("PNG")
    image += bytes(LIMIT - len(image))

    assert send(on_sqlite, "set_avatar", image).status_code == 200
    assert send(on_sqlite, "set_avatar", part("avatar", image) + END, BOUNDARY).status_code == 200


class Endless:
    """A gigabyte in pieces that counts how much of it was sent."""

    def __init__(self, head: bytes = b"") -> None:
        self.head = head
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        for _ in range(16 * 1024):
            self.sent += 65_536
            yield bytes(65_536)


def memory(world: Playground) -> int:
    """Return the most memory that the service has used so far, in MiB."""
    status = Path(f"/proc/{world.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024


@pytest.mark.parametrize(
    ("path", "content_type", "head", "key", "status"),
    [
        ("set_avatar", "image/png", b"", PLAYER, 400),
        ("set_avatar", BOUNDARY, part("avatar", b"")[:-2], PLAYER, 400),
        ("set_player_info", "application/json", b"", PLAYER, 413),
        ("set_avatar", "image/png", b"", "nobody's", 401),
        ("get_friends", "image/png", b"", PLAYER, 405),
        ("nothing", "image/png", b"", PLAYER, 404),
    ],
)
def test_a_gigabyte_is_cut_off(
    on_sqlite: Playground, path: str, content_type: str, head: bytes, key: str, status: int
) -> None:
    send(on_sqlite, "set_avatar", b"x" * LIMIT)
    before = memory(on_sqlite)
    body = Endless(head)
    begun = time.monotonic()
    answer = on_sqlite.client.post(
        f"/v1/{path}", headers=signed(key) | {"Content-Type": content_type}, content=iter(body)
    )

    assert answer.status_code == status
    if (path, status) == ("set_avatar", 400):
        assert answer.json() == TOO_LARGE
    assert answer.headers["Connection"] == "close"
    # What was sent beyond the limits is in the buffers of the connection.
    assert body.sent < 48 * MIB
    assert memory(on_sqlite) < before + 24
    assert time.monotonic() - begun < 8


def test_a_gigabyte_declared_in_advance_is_not_read(on_sqlite: Playground) -> None:
    with socket.create_connection(("127.0.0.1", on_sqlite.client.base_url.port or 80)) as connection:
        head = (
            f"POST /set_avatar HTTP/1.1\r\nHost: x\r\nAuthorization: {PLAYER}\r\nContent-Length: {2**30}\r\n\r\n"
        )
        connection.sendall(head.encode())
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"max 4MB" in answer


def test_a_connection_is_kept_after_a_small_unread_body(on_sqlite: Playground) -> None:
    answers = [send(on_sqlite, path, b"x" * 100_000) for path in ("nothing", "get_friends", "nothing")]

    assert [answer.status_code for answer in answers] == [404, 405, 404]
    assert "Connection" not in answers[0].headers


def test_a_client_that_disconnects(on_sqlite: Playground) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", on_sqlite.client.base_url.port or 80)) as connection:
            head = (
                f"POST /set_avatar HTTP/1.1\r\nHost: x\r\nAuthorization: {PLAYER}\r\nContent-Length: 1000\r\n\r\n"
            )
            connection.sendall(head.encode() + b"x" * 500)

    assert send(on_sqlite, "set_avatar", encoded("PNG")).status_code == 200
    assert "Traceback" not in on_sqlite.process.output(200)


@given(
    st.binary(max_size=300), st.sampled_from([BOUNDARY, "multipart/form-data", "multipart/form-data; boundary=x"])
)
def test_any_multipart_body_is_parsed_or_refused(data: bytes, content_type: str) -> None:
    for body in (data, part("avatar", data) + END, b"--xxx\r\n" + data + END, part("avatar", b"x") + data):
        with suppress(APIError):
            assert all(isinstance(content, bytes) for content in parts(body, content_type).values())


@given(st.binary(max_size=300))
def test_a_part_is_parsed_unchanged(data: bytes) -> None:
    if b"--xxx" not in data:
        assert parts(part("other", b"") + part("avatar", data) + END, BOUNDARY) == {"other": b"", "avatar": data}


DISCONNECT: Message = {"type": "http.disconnect"}


def chunk(data: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


def body_of(*messages: Message, **headers: str) -> Body:
    """A body that arrives in these messages, and never ends when they do not end it."""
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0) if left else await asyncio.Future()

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {"type": "http", "headers": raw}
    return Body(scope, receive)


def test_a_body_is_read_whole_or_in_chunks() -> None:
    async def chunks() -> list[bytes]:
        return [data async for data in body_of(*messages).chunks(4)]

    messages = [chunk(b"ab"), chunk(b""), chunk(b"cd", more=False)]
    assert asyncio.run(body_of(*messages).read(4)) == b"abcd"
    assert asyncio.run(chunks()) == [b"ab", b"cd"]


@pytest.mark.parametrize("messages", [[chunk(b"abc"), chunk(b"de")], [chunk(b"abcde", more=False)]])
def test_a_body_is_read_up_to_its_limit(messages: list[Message]) -> None:
    body = body_of(*messages)
    with pytest.raises(APIError, match="The body is larger than 4 bytes") as caught:
        asyncio.run(body.read(4))
    assert (caught.value.status, body.error) == (413, caught.value)
    with pytest.raises(APIError, match="another text"):
        asyncio.run(body_of(*messages).read(4, APIError(400, "another text")))


def test_a_declared_length_above_the_limit_is_refused_before_reading() -> None:
    body = body_of(content_length="5")
    with pytest.raises(APIError, match="larger than 4 bytes"):
        body.chunks(4)


def test_a_disconnect_while_reading() -> None:
    body = body_of(chunk(b"a"), DISCONNECT)
    with pytest.raises(APIError, match="The body breaks off") as caught:
        asyncio.run(body.read(4))
    assert (caught.value.status, body.disconnected) == (400, True)


def test_a_body_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT", 0.01)
    with pytest.raises(APIError, match="The body did not arrive within 30 seconds") as caught:
        asyncio.run(body_of(chunk(b"a")).read(4))
    assert caught.value.status == 408
