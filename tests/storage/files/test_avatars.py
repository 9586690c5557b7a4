"""set_avatar: which images are stored and how, and that there is always one whole image on disk."""

import random
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image, ImageChops, ImageDraw, PngImagePlugin

from storage.files.images import MAX_PIXELS, NotAnImage, clean
from tests.conftest import ADMIN, IDS, PLAYER, Playground, playground, signed

INVALID = {"status": "invalid file type."}
STORED = {"status": "success."}


def picture(size: int = 128) -> Image.Image:
    """Return a picture that differs with each call."""
    image = Image.new("RGB", (size, size), random.randbytes(3).hex().join(["#", ""]))
    ImageDraw.Draw(image).ellipse((10, 10, random.randrange(20, size), size), fill="red")
    return image


def encoded(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    content = BytesIO()
    (image or picture()).save(content, kind, **options)
    return content.getvalue()


def animation(frames: int = 8, size: int = 64, **options: Any) -> bytes:
    images = []
    for index in range(frames):
        image = Image.new("RGBA", (size, size))
        left = index % (size - 20)
        ImageDraw.Draw(image).ellipse((left, left, left + 20, left + 20), fill=(255, left * 20 % 255, 0, 255))
        images.append(image)
    durations = [50 + 10 * (index % 3) for index in range(frames)]
    return encoded(
        "GIF", images[0], save_all=True, append_images=images[1:], duration=durations, disposal=2, **options
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """Return a small PNG file of side x side black pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    lines = zlib.compress(bytes(min(side * (side // 8 + 1), 30_000_000)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def put(world: Playground, image: bytes, key: str = PLAYER, method: str = "POST") -> httpx2.Response:
    return world.client.request(method, "/api/set_avatar", headers=signed(key), content=image)


def avatars(world: Playground, key: str = PLAYER) -> dict[str, bytes]:
    """Return the avatar files of a player, by extension."""
    files = (world.data / "avatars").glob(f"{IDS[key]}.*")
    return {file.suffix: file.read_bytes() for file in files}


@pytest.mark.parametrize(("kind", "extension"), [("PNG", ".png"), ("JPEG", ".jpeg"), ("GIF", ".gif")])
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("part", ["avatar", "avatar_file", None])
def test_each_kind_in_each_form(
    on_sqlite: Playground, kind: str, extension: str, method: str, part: str | None
) -> None:
    image = encoded(kind)
    files: Any = {part: ("whatever.bmp", image, "text/plain")}
    form: Any = {"content": image} if part is None else {"files": files, "data": {"other": "field"}}
    response = on_sqlite.client.request(method, "/set_avatar/", headers=signed(PLAYER), **form)

    assert (response.status_code, response.json()) == (200, STORED)
    assert list(avatars(on_sqlite)) == [extension]
    with Image.open(BytesIO(avatars(on_sqlite)[extension])) as stored:
        assert (stored.format, stored.size) == (kind, (128, 128))


def test_everybody_may_read_the_file(on_sqlite: Playground) -> None:
    put(on_sqlite, encoded("PNG"))

    assert (on_sqlite.data / "avatars" / f"{IDS[PLAYER]}.png").stat().st_mode & 0o777 == 0o644


def test_other_extensions_are_removed_and_other_players_kept(on_sqlite: Playground) -> None:
    put(on_sqlite, encoded("PNG"), ADMIN)
    for extension in ("png", "jpg", "gif", "jpeg", "jfif"):
        (on_sqlite.data / "avatars" / f"{IDS[PLAYER]}.{extension}").write_bytes(b"stale")
    (on_sqlite.data / "avatars" / "default.jpg").write_bytes(b"default")
    put(on_sqlite, encoded("JPEG"))

    assert list(avatars(on_sqlite)) == [".jpeg"]
    assert list(avatars(on_sqlite, ADMIN)) == [".png"]
    assert (on_sqlite.data / "avatars" / "default.jpg").read_bytes() == b"default"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
# Made when a test needs them: some take a second.
REFUSED: dict[str, Callable[[], bytes]] = {
    "an SVG": lambda: SVG,
    "an SVG behind the signature of a PNG": lambda: b"\x89PNG\r\n\x1a\n" + SVG,
    "50 000 x 50 000 pixels": lambda: bomb(50_000),
    "5 000 x 5 000 pixels": lambda: bomb(5_000),
    "half a PNG": lambda: encoded("PNG")[:-100],
    "half a JPEG": lambda: encoded("JPEG")[:-100],
    "half a GIF": lambda: animation()[:-100],
    "a WebP": lambda: encoded("WEBP"),
    "a BMP": lambda: encoded("BMP"),
    "a JPEG's first bytes": lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "a text": lambda: b"JFIFJFIFJFIF",
    "too many frames": lambda: animation(1100, 40),
    "too many pixels in all frames": lambda: animation(300, 256),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_but_an_image_is_refused(on_sqlite: Playground, name: str) -> None:
    put(on_sqlite, encoded("GIF"))
    before = avatars(on_sqlite)
    image = REFUSED[name]()
    begun = time.monotonic()
    response = put(on_sqlite, image)

    assert (response.status_code, response.json()) == (400, INVALID)
    assert avatars(on_sqlite) == before
    assert time.monotonic() - begun < 3


def test_a_small_file_has_too_many_pixels() -> None:
    assert len(bomb(50_000)) < 31_000
    assert MAX_PIXELS < 5_000 * 5_000


def test_only_the_picture_of_a_polyglot_is_stored(on_sqlite: Playground) -> None:
    page = b"<script>alert(document.domain)</script>"
    for kind in ("PNG", "JPEG", "GIF"):
        comment: dict[str, Any] = {} if kind == "PNG" else {"comment": page}
        assert put(on_sqlite, encoded(kind, **comment) + page + b"PK\x03\x04").status_code == 200
        assert page not in next(iter(avatars(on_sqlite).values()))


def test_metadata_is_dropped() -> None:
    exif, info = Image.Exif(), PngImagePlugin.PngInfo()
    exif[0x010E] = "SECRET place"
    info.add_text("Author", "SECRET name")
    info.add_itxt("XML:com.adobe.xmp", "SECRET history")
    images = [
        encoded("JPEG", exif=exif, comment=b"SECRET", icc_profile=b"SECRET", xmp=b"SECRET"),
        encoded("PNG", exif=exif, pnginfo=info, icc_profile=b"SECRET"),
        animation(comment=b"SECRET"),
    ]

    for image in images:
        assert b"SECRET" in image
        assert b"SECRET" not in clean(image)[1]


def test_a_photo_is_rotated_as_its_metadata_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(BytesIO(clean(encoded("JPEG", picture().crop((0, 0, 100, 50)), exif=exif))[1])) as image:
        assert image.size == (50, 100)


@pytest.mark.parametrize("options", [{}, {"loop": 0}, {"loop": 3}])
def test_an_animation_stays_animated(options: dict[str, int]) -> None:
    before, after = animation(**options), clean(animation(**options))[1]

    with Image.open(BytesIO(before)) as old, Image.open(BytesIO(after)) as new:
        assert old.n_frames == new.n_frames == 8  # type: ignore[attr-defined]
        assert old.info.get("loop") == new.info.get("loop")
        for index in range(8):
            old.seek(index)
            new.seek(index)
            assert old.info["duration"] == new.info["duration"]
            assert ImageChops.difference(old.convert("RGBA"), new.convert("RGBA")).getbbox() is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_keeps_its_pixels(mode: str) -> None:
    image = picture().convert("L").convert(mode) if mode == "I;16" else picture().convert(mode)
    with Image.open(BytesIO(clean(encoded("PNG", image))[1])) as stored:
        assert ImageChops.difference(stored.convert("RGBA"), image.convert("RGBA")).getbbox() is None


def interlaced() -> bytes:
    """Return an interlaced PNG, of 8 x 8 white pixels. Pillow does not write such files."""
    passes = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]
    lines = b"".join((b"\0" + b"\xff" * width) * height for width, height in passes)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def test_an_interlaced_png_is_accepted() -> None:
    with Image.open(BytesIO(interlaced())) as before, Image.open(BytesIO(clean(interlaced())[1])) as after:
        assert before.info["interlace"]
        assert (after.size, after.convert("RGB").getcolors()) == ((8, 8), [(64, (255, 255, 255))])


def test_only_the_first_picture_of_an_animated_png_is_kept() -> None:
    first, second = picture(), picture()
    with Image.open(BytesIO(clean(encoded("PNG", first, save_all=True, append_images=[second]))[1])) as stored:
        assert ImageChops.difference(stored.convert("RGB"), first).getbbox() is None
        assert not getattr(stored, "is_animated", False)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_may_have_other_colour_modes(mode: str) -> None:
    assert clean(encoded("JPEG", picture().convert(mode)))[0] == "jpeg"


def test_a_damaged_image_is_refused_or_repaired() -> None:
    rng = random.Random(5)
    for original in [encoded("PNG"), encoded("JPEG"), animation()] * 60:
        damaged = bytearray(original)
        for _ in range(rng.randrange(1, 20)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            kind, content = clean(bytes(damaged))
        except NotAnImage:
            continue
        with Image.open(BytesIO(content)) as image:
            image.load()
        assert kind in ("png", "jpeg", "gif")


def test_the_folder_cannot_be_written_to(tmp_path: Path) -> None:
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}") as here:
        (here.data / "avatars").write_bytes(b"not a folder")
        response = put(here, encoded("PNG"))

    assert (response.status_code, response.json()) == (503, {"status": "The avatar cannot be stored."})
    assert response.headers["Retry-After"]


class Watch:
    """Reads a player's avatars again and again while the block runs, and collects what is wrong with them."""

    def __init__(self, world: Playground) -> None:
        self.folder = world.data / "avatars"
        self.seen = 0
        self.faults: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.is_set():
            self.look()

    def look(self) -> None:
        pattern = f"{IDS[PLAYER]}.*"
        # Between two steps of the writer, one look may miss both names.
        files = list(self.folder.glob(pattern)) or list(self.folder.glob(pattern))
        if not files and self.seen:
            self.faults.append("none")
        for file in files:
            try:
                whole(file)
            except FileNotFoundError:
                continue
            except Exception as error:
                self.faults.append(f"{file.name}: {error!r}")
            self.seen += 1

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def whole(file: Path) -> None:
    """Raise unless the file holds a whole image of the format that its name says."""
    with Image.open(BytesIO(file.read_bytes())) as image:
        image.load()
        assert {"PNG": ".png", "JPEG": ".jpeg", "GIF": ".gif"}[image.format or ""] == file.suffix


def kinds() -> Iterator[bytes]:
    while True:
        yield encoded("PNG", picture(300))
        yield encoded("JPEG", picture(300))
        yield animation(20)


def test_concurrent_uploads_of_one_player(on_sqlite: Playground) -> None:
    images = kinds()
    put(on_sqlite, next(images))
    with Watch(on_sqlite) as watch, ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda image: put(on_sqlite, image), [next(images) for _ in range(60)]))

    statuses = [response.status_code for response in responses]
    # An upload waits for the one before it, but not for long.
    assert set(statuses) <= {200, 429}
    assert statuses.count(200) >= 20
    assert not watch.faults
    assert watch.seen > 10
    assert len(avatars(on_sqlite)) == 1
