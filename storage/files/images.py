"""Images from strangers: decoded within bounds, and encoded anew, so that nothing but the picture is left."""

from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageOps

# Of all frames together: 16 megapixels take 64 MiB in memory.
MOST_PIXELS = 2**24
MOST_FRAMES = 1000

EXTENSIONS = {"PNG": "png", "JPEG": "jpeg", "MPO": "jpeg", "GIF": "gif"}


class NotAnImage(Exception):
    """These bytes are no PNG, JPEG or GIF, are broken, or hold more pixels than an avatar may."""


def clean(data: bytes) -> tuple[str, bytes]:
    """The extension and a new encoding of the image in `data`, without metadata and whatever else was with it.

    A GIF stays animated; of other animations and of photos with several pictures the first is taken. What the
    image is, its content says, not its name. Raises NotAnImage.
    """
    try:
        with Image.open(BytesIO(data), formats=("PNG", "JPEG", "GIF")) as image:
            kind = EXTENSIONS[image.format or ""]
            _bounded(image, 1)
            content = BytesIO()
            if kind == "gif":
                _write_gif(image, content)
            elif kind == "jpeg":
                _bare(ImageOps.exif_transpose(image).convert("RGB")).save(content, "JPEG", quality=92)
            else:
                _bare(ImageOps.exif_transpose(image)).save(content, "PNG")
            return kind, content.getvalue()
    # Pillow's readers raise whatever a broken file makes them stumble over, SyntaxError and struct.error included.
    except Exception as error:
        raise NotAnImage from error


def _bounded(image: Image.Image, frames: int) -> None:
    if image.width * image.height * frames > MOST_PIXELS or frames > MOST_FRAMES:
        raise NotAnImage


def _bare(image: Image.Image) -> Image.Image:
    """The image without what its encoder would write beside the pixels; a transparent colour stays so."""
    image.info = {name: value for name, value in image.info.items() if name == "transparency"}
    return image


def _write_gif(image: Image.Image, content: BytesIO) -> None:
    frames = 0
    try:
        while True:
            frames += 1
            _bounded(image, frames)
            image.seek(frames)
    except EOFError:
        image.seek(0)
    loop = {"loop": image.info["loop"]} if "loop" in image.info else {}
    durations: list[int] = []
    pictures = list(_frames(image, frames, durations))
    pictures[0].save(
        content,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=durations if frames > 1 else 0,
        disposal=2,
        **loop,
    )


def _frames(image: Image.Image, frames: int, durations: list[int]) -> Iterator[Image.Image]:
    for index in range(frames):
        image.seek(index)
        durations.append(int(image.info.get("duration", 0)))
        yield _bare(image.convert("RGBA"))
