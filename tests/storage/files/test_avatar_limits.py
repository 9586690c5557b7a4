"""set_avatar with images that are made to hurt, with many uploads at once, and with clients that leave."""

import os
import signal
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from storage.files.avatars import MAX_UPLOADS, WORKERS
from tests.conftest import ADMIN, PLAYER, Playground, playground
from tests.storage.files.test_avatars import INVALID, STORED, animation, avatars, chunk, encoded, put

SECONDS = 1.0
MIB = 2**20
TOO_MANY = {"status": "Too many avatars are waiting."}
UPLOADING = {"status": "Another avatar of this player is still being uploaded."}


def scans(side: int, size: int = 4 * MIB) -> bytes:
    """Return a JPEG of that size with as many scans as fit into it, each of which is decoded into all pixels."""
    image = encoded("JPEG", Image.new("L", (side, side), 80), progressive=True)
    last = image[image.rindex(b"\xff\xda") : -2]
    return image[:-2] + last * ((size - len(image)) // len(last)) + image[-2:]


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG with one more chunk after its header."""
    image = encoded("PNG")
    return image[:33] + chunk(kind, data) + image[33:]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """A service that decodes for a second, in little memory."""
    folder = tmp_path_factory.mktemp("limited")
    url = f"sqlite:///{folder / 'world.sqlite'}"
    with playground(folder, url, image_timeout=str(SECONDS), image_memory="128") as here:
        yield here


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """A service that decodes for a minute."""
    folder = tmp_path_factory.mktemp("patient")
    with playground(folder, f"sqlite:///{folder / 'world.sqlite'}", image_timeout="60") as here:
        yield here


def workers(world: Playground) -> set[int]:
    """Return the ids of the processes that the service has started."""
    children = Path(f"/proc/{world.process.pid}/task/{world.process.pid}/children").read_text()
    return {int(child) for child in children.split()}


def cpu_seconds(process: int) -> float:
    """Return the CPU time that a process has used. It is negative if there is no such process."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return -1
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def most_memory(process: int) -> int:
    """Return the most memory that a process has used, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start_upload(world: Playground, key: str, body: bytes, length: int | None = None) -> socket.socket:
    """Send the head of an upload and `body`, which may be shorter than the declared length."""
    connection = socket.create_connection(("127.0.0.1", world.client.base_url.port or 80))
    head = f"POST /set_avatar HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
    connection.sendall(f"{head}Content-Length: {length or len(body)}\r\n\r\n".encode() + body)
    return connection


@contextmanager
def half_uploads(world: Playground, keys: list[str]) -> Iterator[None]:
    """Send half an upload with each of these keys."""
    with ExitStack() as uploads:
        for key in keys:
            uploads.enter_context(start_upload(world, key, b"half", 1000))
        yield


def status_of_endless_upload(world: Playground) -> int:
    """Return the status of an upload that is too large, which ends as soon as it may begin."""
    with start_upload(world, PLAYER, b"", 2**30) as connection:
        return int(connection.makefile("rb").readline().split()[1])


@contextmanager
def decoding(world: Playground, key: str = PLAYER) -> Iterator[socket.socket]:
    """Enter the block when an image that takes minutes is being decoded."""
    before = {worker: cpu_seconds(worker) for worker in workers(world)}
    with start_upload(world, key, scans(1024)) as connection:
        wait_until(lambda: any(cpu_seconds(worker) > before.get(worker, 0) + 0.3 for worker in workers(world)))
        yield connection


# Players of the recorded world without an API key.
OTHERS = [*range(30, 83), *range(86, 138)]


def keys(world: Playground, number: int) -> list[str]:
    """Return that many API keys, each of another player."""
    made = [f"00000000-0000-4000-8000-{id:012}" for id in OTHERS[:number]]
    world.sql(*(f"UPDATE users SET api_key = '{key}', priv = 3 WHERE id = {int(key[-12:])}" for key in made))
    return made


@pytest.mark.parametrize("side", [256, 1024, 4096])
def test_a_hundred_thousand_scans_are_too_much(limited: Playground, side: int) -> None:
    put(limited, encoded("GIF"))
    begun = time.monotonic()
    response = put(limited, scans(side))

    assert (response.status_code, response.json()) == (400, INVALID)
    assert time.monotonic() - begun < SECONDS + 5
    assert list(avatars(limited)) == [".gif"]
    assert put(limited, encoded("PNG")).json() == STORED


def test_a_few_scans_are_not(limited: Playground) -> None:
    assert put(limited, scans(256, 2000)).json() == STORED


def canvas(gif: bytes, side: int) -> bytes:
    """Return the GIF with another size of the whole image."""
    return gif[:6] + struct.pack("<HH", side, side) + gif[10:]


BOMBS: dict[str, Callable[[], bytes]] = {
    "64 MiB of pixels": lambda: encoded("PNG", Image.new("RGBA", (4096, 4096))),
    "a text of 100 MB": lambda: with_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000))),
    "a profile of 100 MB": lambda: with_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(100_000_000))),
    "a thousand frames of 4096 x 4096 pixels": lambda: canvas(animation(999, 40), 4096),
    "a frame of 65535 x 65535 pixels": lambda: canvas(animation(1, 40), 65535),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(limited: Playground, name: str) -> None:
    image = BOMBS[name]()
    assert len(image) < MIB
    response = put(limited, image)

    assert (response.status_code, response.json()) == (400, INVALID)
    assert put(limited, encoded("PNG")).json() == STORED
    assert all(most_memory(worker) < 140 for worker in workers(limited))


def test_others_are_not_held_up(patient: Playground) -> None:
    with decoding(patient):
        for image in (encoded("PNG"), encoded("JPEG"), animation()):
            assert put(patient, image, ADMIN).json() == STORED
        assert len(workers(patient)) == WORKERS


def test_a_worker_that_is_killed_is_replaced(limited: Playground) -> None:
    put(limited, encoded("PNG"))
    for worker in workers(limited):
        os.kill(worker, signal.SIGKILL)
    assert put(limited, encoded("PNG")).json() == STORED


def test_an_image_whose_worker_is_killed_is_decoded_by_another(patient: Playground) -> None:
    # It takes a second until the service sees that the client of an earlier test has left.
    wait_until(lambda: put(patient, encoded("PNG")).json() == STORED)
    # An image on which a new process ends is not tried again.
    while len(workers(patient)) < WORKERS:
        put(patient, encoded("PNG"))
    with decoding(patient):
        before = workers(patient)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: any(cpu_seconds(worker) > 0.5 for worker in workers(patient) - before))
        assert put(patient, encoded("PNG"), ADMIN).json() == STORED


def test_images_wait_for_a_worker_for_as_long_as_decoding_may_take(limited: Playground) -> None:
    # Twice the workers, each busy until its image is out of time.
    images = [scans(1024)] * (2 * WORKERS)
    with ThreadPoolExecutor(len(images)) as pool:
        responses = list(pool.map(put, [limited] * len(images), images, keys(limited, len(images))))

    assert {response.status_code for response in responses} <= {400, 503}
    assert sum(response.status_code == 400 for response in responses) >= WORKERS
    for response in responses:
        if response.status_code == 503:
            assert response.json() == TOO_MANY
            assert int(response.headers["Retry-After"]) > 0
    assert put(limited, encoded("PNG")).json() == STORED


def test_a_player_uploads_one_avatar_at_a_time(patient: Playground) -> None:
    with half_uploads(patient, [PLAYER]):
        wait_until(lambda: status_of_endless_upload(patient) == 429)
        response = put(patient, encoded("PNG"))
        assert response.json() == UPLOADING
        assert int(response.headers["Retry-After"]) > 0
        assert put(patient, encoded("PNG"), ADMIN).json() == STORED
    # The client has left.
    wait_until(lambda: put(patient, encoded("PNG")).json() == STORED)


def test_uploads_at_once_are_limited(patient: Playground) -> None:
    with half_uploads(patient, keys(patient, MAX_UPLOADS)):
        wait_until(lambda: status_of_endless_upload(patient) == 503)
        response = put(patient, encoded("PNG"))
        assert response.json() == TOO_MANY
        assert int(response.headers["Retry-After"]) > 0
        assert patient.client.get("/v1/get_clan?id=1").status_code == 200
    wait_until(lambda: put(patient, encoded("PNG")).json() == STORED)


def test_an_image_whose_client_has_left_is_not_decoded(patient: Playground) -> None:
    with decoding(patient):
        assert put(patient, encoded("PNG")).status_code == 429
    wait_until(lambda: put(patient, encoded("PNG")).json() == STORED)

    used = {worker: cpu_seconds(worker) for worker in workers(patient)}
    time.sleep(0.5)
    assert all(cpu_seconds(worker) < seconds + 0.2 for worker, seconds in used.items())
    assert "status=499" in patient.process.output()
    assert "Traceback" not in patient.process.output(10_000)
