"""Bodies: JSON, forms and images, intact and broken in every way."""

import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from random import Random

from PIL import Image

from tests.fuzz.values import code_point, encoded, hostile

FIELDS = ("userpage_content", "preferred_mode", "play_style", "custom_badge_name", "custom_badge_icon")
OTHER_FIELDS = (
    "name",
    "email",
    "password",
    "NAME",
    "",
    "\0",
    "userpage_content\0",
    "x" * 300,
    "priv",
    "__class__",
    "😀",
)
JSON, FORM, MULTIPART = b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data"
# JSON values as text, because json.dumps could not write most of them.
JSON_VALUES = (
    *(
        "null",
        "true",
        "false",
        "0",
        "4",
        "7",
        "9",
        "11",
        "-1",
        "-0",
        "3.0",
        "3.5",
        "1e2",
        "1E400",
        "-1e999",
        "2147483648",
    ),
    *(
        "9223372036854775808",
        "1" * 400,
        "1" * 5000,
        "0.1e-999",
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "1_0",
    ),
    *(
        '""',
        '"a"',
        '"\\u0000"',
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\uffff"',
        '"\\x"',
        '"\\"',
        '"\t"',
        '"\x7f"',
        '"😀"',
    ),
    *(
        '"{}"',
        '"%s"',
        '"<script>"',
        '"\\r\\nX-Injected: 1"',
        "'a'",
        "[]",
        "{}",
        "[1]",
        '{"a":1}',
        "[[[[]]]]",
        "undefined",
        "",
    ),
    *(f'"{"a" * size}"' for size in (16, 17, 64, 65, 2048, 2049, 70_000)),
    *(f'"{letter * size}"' for letter in ("é", "試", "😀") for size in (16, 17, 512, 2048)),
    *("[" * depth + "]" * depth for depth in (10, 500, 1000, 30_000)),
    '{"a":' * 1000 + "1" + "}" * 1000,
)


def json_body(random: Random) -> bytes:
    names = random.choices(FIELDS, k=random.randint(0, 4)) + random.choices(OTHER_FIELDS, k=random.random() < 0.1)
    members = [json.dumps(name) + ":" + _json_value(random) for name in names]
    text = "{" + ",".join(members) + "}"
    wrap = random.random()
    if wrap < 0.7:
        return text.encode()
    if wrap < 0.8:
        return random.choice(JSON_VALUES).encode()
    if wrap < 0.9:
        wrong = (
            f"[{text}]",
            text + ",",
            text + text,
            text[:-1],
            text[1:],
            f"// a\n{text}",
            text.replace(":", ";"),
            f" \n{text}\t ",
        )
        return random.choice(wrong).encode()
    return random.choice(
        (text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-32"), text.encode() + b"\xff\0")
    )


def _json_value(random: Random) -> str:
    if random.random() < 0.5:
        return random.choice(JSON_VALUES)
    if random.random() < 0.5:
        return str(random.randint(-1, 12))
    text = "".join(chr(code_point(random)) for _ in range(random.choice((1, 16, 17, 64, 300))))
    return json.dumps(text, ensure_ascii=random.random() < 0.5)


def form_body(random: Random) -> bytes:
    names = random.choices((*FIELDS, *OTHER_FIELDS), k=random.choice((0, 1, 2, 3, 120)))
    values = [
        encoded(random, hostile(random)) if random.random() < 0.6 else b"%d" % random.randint(-1, 12)
        for _ in names
    ]
    separator = random.choice((b"&", b"&", b"&", b";", b"&&", b"\r\n"))
    body = separator.join(
        encoded(random, name.encode()) + b"=" + value for name, value in zip(names, values, strict=True)
    )
    return random.choice(
        (body, body, body, body.replace(b"=", b""), b"=" + body, body + b"&%", body + b"\xff", hostile(random))
    )


def multipart_body(random: Random, fields: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Return a body with these fields, and its content type."""
    boundary = random.choice(
        (b"xyz", b"-" * 30 + b"1", b"a" * 70, b"a" * 300, b"", b"\xff", b"x y", b'"', b"\r\n", b"(')")
    )
    newline = random.choice((b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"))
    parts = []
    for name, content in fields * random.choice((1, 1, 1, 1, 2, 120)):
        disposition = random.choice(
            (
                b'form-data; name="%b"' % name,
                b'form-data; name="%b"; filename="a.png"' % name,
                b"form-data; name=%b" % name,
                b'form-data; name="%b' % name,
                b'form-data; name="\xff%b"; name="a"' % name,
                b"form-data; name*=utf-8''%b; filename*=x'" % name,
                b"form-data;" + b";" * 500,
                b"",
                hostile(random),
            )
            if random.random() < 0.3
            else (b'form-data; name="%b"; filename="a"' % name,)
        )
        headers = [b"Content-Disposition: " + disposition]
        if random.random() < 0.3:
            more = (
                b"Content-Type: image/png",
                b"Content-Transfer-Encoding: base64",
                b"X: " + b"y" * 20_000,
                b"no colon",
                b": a",
                b"\0: b",
            )
            headers.append(random.choice(more))
        parts.append(b"--" + boundary + newline + newline.join([*headers, b"", content]) + newline)
    body = b"".join(parts) + b"--" + boundary + b"--" + newline
    wrong = random.random()
    if wrong < 0.1:
        body = body[: random.randint(0, len(body))]
    elif wrong < 0.15:
        body = random.choice((b"preamble\r\n", b"\r\n", b"--")) + body + random.choice((b"epilogue", b"--", b"\0"))
    elif wrong < 0.2:
        body = damaged(random, body)
    shown = random.choice(
        (boundary, boundary, boundary, boundary, b'"' + boundary + b'"', boundary[:-1], boundary + b"x")
    )
    content_type = random.choice(
        (b"multipart/form-data; boundary=" + shown,) * 6
        + (b"multipart/form-data", b"multipart/form-data; boundary")
    )
    return body, content_type.replace(b"\r", b" ").replace(b"\n", b" ")


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
    """Return small images of several formats, some of which are not accepted."""
    files = []
    for kind, mode in (
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
        ("BMP", "RGB"),
    ):
        file = BytesIO()
        Image.new(mode, (7, 5)).save(file, kind)
        files.append(file.getvalue())
    file = BytesIO()
    frames = [Image.new("P", (4, 4), color) for color in range(3)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return (
        *files,
        file.getvalue(),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"",
    )


def image(random: Random) -> bytes:
    data = random.choice(images())
    if random.random() < 0.5:
        data = damaged(random, data)
    # Width and height of a PNG.
    if data[:4] == b"\x89PNG" and random.random() < 0.2:
        data = data[:16] + random.choice((b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\x40\0")) * 2 + data[24:]
    return data[: random.randint(0, len(data))] if random.random() < 0.1 else data


def profile(random: Random) -> tuple[bytes, bytes]:
    """Return a body for set_player_info, and its content type."""
    make: Callable[[Random], bytes]
    match random.randrange(5):
        case 0 | 1:
            make, content_type = json_body, JSON
        case 2 | 3:
            make, content_type = form_body, FORM
        case _:
            names = random.choices((*FIELDS, *OTHER_FIELDS), k=random.choice((0, 1, 2, 5)))
            return multipart_body(random, [(name.encode(), hostile(random)) for name in names])
    if random.random() < 0.15:
        content_type = random.choice(
            (
                JSON,
                FORM,
                MULTIPART,
                b"",
                b"text/plain",
                JSON + b";charset=\xff",
                b"APPLICATION/JSON ; x",
                hostile_type(random),
            )
        )
    return make(random), content_type


def avatar(random: Random) -> tuple[bytes, bytes]:
    """Return a body for set_avatar, and its content type."""
    if random.random() < 0.4:
        return image(random), random.choice(
            (b"image/png", b"", b"application/octet-stream", JSON, hostile_type(random))
        )
    names = random.choices(
        (b"avatar", b"avatar_file", b"x", b"", b"\xff"), (5, 3, 1, 1, 1), k=random.choice((0, 1, 1, 1, 2))
    )
    return multipart_body(random, [(name, image(random)) for name in names])


def hostile_type(random: Random) -> bytes:
    text = hostile(random)
    return bytes(byte for byte in text if byte >= 0x20 and byte != 0x7F)
