"""Cleaning untrusted images: decoded within limits and encoded again, so that only the picture is left.

storage/workers/child.py loads this file in a process of its own, so it imports nothing of this project. A job is
an image. A reply is the extension of the new file, a line feed and the file; it is empty if the job is no image.
"""

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageOps

# Of all frames together: 16 megapixels take 64 MiB in memory.
MAX_PIXELS = 2**24
MAX_FRAMES = 1000

EXTENSIONS = {"PNG": "png", "JPEG": "jpeg", "MPO": "jpeg", "GIF": "gif"}


class NotAnImage(Exception):
    """Not a PNG, JPEG or GIF, or one that is broken or has too many pixels or frames."""


def open_worker() -> Callable[[bytes], bytes]:
    """Return the function from a job to its reply."""
    # The formats, too, are loaded before the memory is limited.
    Image.preinit()
    return reply_to


def reply_to(job: bytes) -> bytes:
    """Return the reply to a job."""
    try:
        extension, content = clean(job)
    except NotAnImage:
        return b""
    return extension.encode() + b"\n" + content


def clean(data: bytes) -> tuple[str, bytes]:
    """Return the file extension and a new encoding of the image in `data`, without metadata. Raise NotAnImage.

    A GIF stays animated. Of other animations, and of photos with several pictures, only the first is kept.
    """
    try:
        with Image.open(BytesIO(data), formats=("PNG", "JPEG", "GIF")) as image:
            extension = EXTENSIONS[image.format or ""]
            _check_size(image, 1)
            content = BytesIO()
            if extension == "gif":
                _write_gif(image, content)
            elif extension == "jpeg":
                _without_metadata(ImageOps.exif_transpose(image).convert("RGB")).save(content, "JPEG", quality=92)
            else:
                _without_metadata(ImageOps.exif_transpose(image)).save(content, "PNG")
            return extension, content.getvalue()
    # For a broken file Pillow raises almost any exception, SyntaxError and struct.error included.
    except Exception as error:
        raise NotAnImage from error


def _check_size(image: Image.Image, frames: int) -> None:
    if image.width * image.height * frames > MAX_PIXELS or frames > MAX_FRAMES:
        raise NotAnImage


def _without_metadata(image: Image.Image) -> Image.Image:
    # Pillow writes what is in `info` beside the pixels. A transparent colour stays transparent.
    image.info = {name: value for name, value in image.info.items() if name == "transparency"}
    return image


def _write_gif(image: Image.Image, content: BytesIO) -> None:
    durations: list[int] = []
    pictures: list[Image.Image] = []
    for index in range(_frames(image)):
        image.seek(index)
        durations.append(int(image.info.get("duration", 0)))
        pictures.append(_without_metadata(image.convert("RGBA")))
    image.seek(0)
    loop = {"loop": image.info["loop"]} if "loop" in image.info else {}
    pictures[0].save(
        content,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=durations if len(pictures) > 1 else 0,
        disposal=2,
        **loop,
    )


def _frames(image: Image.Image) -> int:
    """Return the number of frames. Raise NotAnImage as soon as there are too many."""
    frames = 0
    try:
        while True:
            frames += 1
            _check_size(image, frames)
            image.seek(frames)
    except EOFError:
        return frames
