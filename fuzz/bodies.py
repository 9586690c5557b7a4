"""Bodies: JSON, forms and images, intact and broken in every way. Each is made with its content type."""

import json
from functools import cache
from io import BytesIO
from random import Random

from PIL import Image

from fuzz.samples import BOUNDARIES, DISPOSITIONS, JSON_VALUES, PART_HEADERS
from fuzz.values import code_point, encoded, header_value, hostile

FIELDS = ("userpage_content", "preferred_mode", "play_style", "custom_badge_name", "custom_badge_icon")
OTHER_FIELDS = ("name", "email", "NAME", "", "\0", "userpage_content\0", "x" * 300, "__class__", "😀")
JSON, FORM = b"application/json", b"application/x-www-form-urlencoded"
Content = tuple[bytes, bytes]
VALID_PROFILES = (
    ('{"userpage_content": "é😀", "preferred_mode": 4}'.encode(), JSON),
    (b"play_style=3&userpage_content=%F0%9F%98%80", FORM),
    (
        b'--a\r\nContent-Disposition: form-data; name="play_style"\r\n\r\n5\r\n--a--',
        b"multipart/form-data; boundary=a",
    ),
)


def profile(random: Random) -> Content:
    """Return a body for set_player_info, and its content type."""
    kind = random.random()
    if kind < 0.2:
        return random.choice(VALID_PROFILES)
    if kind < 0.4:
        body, content_type = json_body(random), JSON
    elif kind < 0.8:
        body, content_type = form_body(random), FORM
    else:
        names = random.choices((*FIELDS, *OTHER_FIELDS), k=random.choice((0, 1, 2, 5)))
        return multipart_body(random, [(name.encode(), hostile(random)) for name in names])
    if random.random() < 0.15:
        others = (JSON, FORM, b"", b"text/plain", JSON + b";charset=\xff", b"APPLICATION/JSON ; x")
        content_type = random.choice((*others, header_value(hostile(random))))
    return body, content_type


def avatar(random: Random) -> Content:
    """Return a body for set_avatar, and its content type."""
    if random.random() < 0.4:
        return image(random), random.choice((b"image/png", b"", JSON, header_value(hostile(random))))
    names = random.choices((b"avatar", b"avatar_file", b"", b"\xff"), (5, 3, 1, 1), k=random.choice((0, 1, 1, 2)))
    return multipart_body(random, [(name, image(random)) for name in names])


def json_body(random: Random) -> bytes:
    names = random.choices((*FIELDS, *FIELDS, *FIELDS, *OTHER_FIELDS), k=random.randint(0, 4))
    text = "{" + ",".join(f"{json.dumps(name)}:{json_value(random)}" for name in names) + "}"
    kind = random.random()
    if kind < 0.7:
        return text.encode()
    if kind < 0.8:
        return random.choice(JSON_VALUES).encode()
    if kind < 0.9:
        wrong = (f"[{text}]", f"{text},", text * 2, text[:-1], text[1:], f"//\n{text}", text.replace(":", ";"))
        return random.choice(wrong).encode()
    return random.choice((text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode(), text.encode() + b"\xff\0"))


def json_value(random: Random) -> str:
    if random.random() < 0.5:
        return random.choice(JSON_VALUES)
    if random.random() < 0.5:
        return str(random.randint(-1, 12))
    text = "".join(chr(code_point(random)) for _ in range(random.choice((1, 16, 17, 64, 300))))
    return json.dumps(text, ensure_ascii=random.random() < 0.5)


def form_body(random: Random) -> bytes:
    parts = []
    for name in random.choices((*FIELDS, *OTHER_FIELDS), k=random.choice((0, 1, 2, 3, 120))):
        value = encoded(random, hostile(random)) if random.random() < 0.6 else b"%d" % random.randint(-1, 12)
        parts.append(encoded(random, name.encode()) + b"=" + value)
    body = random.choice((b"&", b"&", b"&", b";", b"&&", b"\r\n")).join(parts)
    wrong = (body.replace(b"=", b""), b"=" + body, body + b"&%", body + b"\xff", hostile(random))
    return random.choice((body, body, body, *wrong))


def multipart_body(random: Random, fields: list[tuple[bytes, bytes]]) -> Content:
    boundary = random.choice(BOUNDARIES)
    newline = random.choice((b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"))
    parts = []
    for name, content in fields * random.choice((1, 1, 1, 1, 2, 120)):
        disposition = b'form-data; name="%b"; filename="a"'
        if random.random() < 0.3:
            disposition = random.choice(DISPOSITIONS)
        headers = [b"Content-Disposition: " + disposition.replace(b"%b", name)]
        if random.random() < 0.3:
            headers.append(random.choice(PART_HEADERS) + b"y" * random.choice((0, 0, 20_000)))
        parts.append(b"--" + boundary + newline + newline.join([*headers, b"", content]) + newline)
    body = b"".join(parts) + b"--" + boundary + b"--" + newline
    kind = random.random()
    if kind < 0.1:
        body = body[: random.randint(0, len(body))]
    elif kind < 0.15:
        body = random.choice((b"preamble\r\n", b"\r\n", b"--")) + body + random.choice((b"epilogue", b"--", b"\0"))
    elif kind < 0.2:
        body = damaged(random, body)
    shown = random.choice((boundary, boundary, boundary, b'"' + boundary + b'"', boundary[:-1], boundary + b"x"))
    content_type = b"multipart/form-data; boundary=" + header_value(shown)
    return body, random.choice((*(content_type,) * 8, b"multipart/form-data", b"multipart/form-data; boundary"))


def damaged(random: Random, data: bytes) -> bytes:
    """Return `data` with some bytes changed, inserted, removed or repeated."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        if not changed:
            break
        at = random.randrange(len(changed))
        match random.randrange(5):
            case 0:
                changed[at] ^= 1 << random.randrange(8)
            case 1:
                changed[at] = random.randrange(256)
            case 2:
                changed[at:at] = random.choice((b"\0", b"\r\n", b" ", b"\xff", random.randbytes(3)))
            case 3:
                del changed[at : at + random.choice((1, 2, 10))]
            case 4:
                changed[at:at] = changed[at : at + random.choice((1, 16, 200))]
    return bytes(changed)


@cache
def images() -> tuple[bytes, ...]:
    """Return small images, some of which are in formats that are not accepted."""
    files = [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b""]
    for kind, mode, frames in (
        *(("PNG", "RGBA", 1), ("PNG", "P", 1), ("JPEG", "RGB", 1), ("JPEG", "CMYK", 1)),
        *(("GIF", "P", 1), ("GIF", "P", 3), ("WEBP", "RGB", 1), ("BMP", "RGB", 1)),
    ):
        file = BytesIO()
        first, *others = (Image.new(mode, (7, 5), frame) for frame in range(frames))
        first.save(file, kind, **({"save_all": True, "append_images": others} if others else {}))
        files.append(file.getvalue())
    return tuple(files)


def image(random: Random) -> bytes:
    data = random.choice(images())
    if random.random() < 0.5:
        data = damaged(random, data)
    if data[:4] == b"\x89PNG" and random.random() < 0.2:
        # The width and the height.
        data = data[:16] + random.choice((b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\x40\0")) * 2 + data[24:]
    return data[: random.randint(0, len(data))] if random.random() < 0.1 else data
