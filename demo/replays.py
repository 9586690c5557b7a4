"""Replays as the osu! client uploads them: compressed frames without a header."""

import lzma
from collections.abc import Iterable, Iterator
from itertools import cycle
from random import Random

from demo.charts import HEIGHT, SLIDER, SPINNER, WIDTH, HitObject
from demo.mods import HR, RX
from demo.results import CATCH, MANIA, STANDARD, TAIKO

Frame = tuple[int, float, float, int]  # ms since the previous frame, x, y, pressed keys
Waypoint = tuple[int, float, float]  # ms, x, y
Press = tuple[int, int, int]  # start and end in ms, keys
OPENING: tuple[Frame, ...] = ((0, 256, -500, 0), (-1, 256, -500, 0))
SEED_FRAME = -12345
FRAME_MS = (16, 17, 16, 17, 16, 17, 33, 8, 16)
LEAD_IN, LEAD_OUT = 600, 300  # ms
BUTTONS = {
    STANDARD: (1 | 4, 2 | 8),
    TAIKO: (1, 4, 2, 8),
}  # a keyboard key in standard also sets the bit of a mouse button
TAP_MS = 60
DASH, DASH_SPEED = 1, 9.0
DRUM = (320.0, 9999.0)  # the cursor position that the client records in taiko
SPIN = (0.8, 0.6)  # cosine and sine of the turn per frame: six turns per second
# The client's dictionary size, 2 MiB. Fast mode takes a quarter of the time for files a tenth larger.
LZMA = {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 21, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC4, "nice_len": 64}


def replay(seed: str, ruleset: int, mods: int, objects: list[HitObject], *, missed: int, columns: int) -> bytes:
    """Return the compressed frames of a play of these objects, of which `missed` are not hit."""
    rng = Random(seed)
    skipped = set(rng.sample(range(len(objects)), min(missed, len(objects))))
    tapped = [o for number, o in enumerate(objects) if number not in skipped]
    if mods & HR and ruleset == STANDARD:
        objects = [(kind, x, HEIGHT - y, start, end, end_x) for kind, x, y, start, end, end_x in objects]
    presses = _presses(tapped, BUTTONS[ruleset]) if ruleset in BUTTONS and not mods & RX else []
    frames = _held(rng, objects, tapped, columns) if ruleset == MANIA else _moved(rng, objects, presses)
    if ruleset == TAIKO:
        frames = ((ms, *DRUM, keys) for ms, _, _, keys in frames)
    elif ruleset == CATCH:
        frames = _caught(frames)
    return compressed((*OPENING, *frames, (SEED_FRAME, 0, 0, rng.randrange(2**31))))


def compressed(frames: Iterable[Frame]) -> bytes:
    """Return the frames as text, `ms|x|y|keys,` each, in an LZMA stream of the legacy format (.lzma)."""
    text = "".join([f"{ms}|{x:g}|{y:g}|{keys}," for ms, x, y, keys in frames])
    return lzma.compress(text.encode("ascii"), format=lzma.FORMAT_ALONE, filters=[LZMA])


def _presses(objects: list[HitObject], buttons: tuple[int, ...]) -> list[Press]:
    return [
        (start, max(end, start + TAP_MS), keys)
        for (_, _, _, start, end, _), keys in zip(objects, cycle(buttons), strict=False)
    ]


def _moments(rng: Random, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the time of each frame and the time since the previous one, in ms."""
    before, now = -1, start
    while now < end + LEAD_OUT:
        yield now, now - before
        before, now = now, now + FRAME_MS[int(rng.random() * len(FRAME_MS))]


def _moved(rng: Random, objects: list[HitObject], presses: list[Press]) -> Iterator[Frame]:
    """Yield the frames of a cursor that moves from object to object, and of the keys pressed."""
    path = _path(objects)
    waypoint, press = 0, 0
    for now, ms in _moments(rng, path[0][0], path[-1][0]):
        while waypoint + 2 < len(path) and path[waypoint + 1][0] <= now:
            waypoint += 1
        while press < len(presses) and presses[press][1] <= now:
            press += 1
        x, y = _between(path[waypoint], path[waypoint + 1], now)
        down = press < len(presses) and presses[press][0] <= now
        yield ms, x + rng.random() / 4, y + rng.random() / 4, presses[press][2] if down else 0


def _path(objects: list[HitObject]) -> list[Waypoint]:
    """Return the points that the cursor passes, at least two."""
    path: list[Waypoint] = [(objects[0][3] - LEAD_IN, WIDTH / 2, HEIGHT / 2)]
    for kind, x, y, start, end, end_x in objects:
        path.append((start, x, y))
        if kind == SLIDER:
            path.append((end, end_x, y))
        elif kind == SPINNER:
            path.extend(_spun(x, y, start, end))
    return path


def _spun(x: float, y: float, start: int, end: int) -> Iterator[Waypoint]:
    across, down = 80.0, 0.0
    for now in range(start, end, FRAME_MS[0]):
        across, down = across * SPIN[0] - down * SPIN[1], across * SPIN[1] + down * SPIN[0]
        yield now, x + across, y + down


def _between(start: Waypoint, end: Waypoint, now: int) -> tuple[float, float]:
    """Return the position at `now` between two points. The cursor is slow at both ends and fast in the middle."""
    done = min(max((now - start[0]) / max(1, end[0] - start[0]), 0.0), 1.0)
    done = done * done * (3 - 2 * done)
    return start[1] + (end[1] - start[1]) * done, start[2] + (end[2] - start[2]) * done


def _caught(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield the frames of the catcher, which follows the cursor and dashes where that is fast."""
    previous = WIDTH / 2
    for ms, x, _, _ in frames:
        yield ms, x, HEIGHT, DASH if abs(x - previous) > DASH_SPEED else 0
        previous = x


def _held(rng: Random, objects: list[HitObject], tapped: list[HitObject], columns: int) -> Iterator[Frame]:
    """Yield the frames of mania, in which x is a bit set of the columns held down."""
    changes = []
    for _, x, _, start, end, _ in tapped:
        column = 1 << min(x * columns // WIDTH, columns - 1)
        changes += [(start, 1, column), (max(end, start + TAP_MS), 0, column)]
    changes.sort()
    held, done = 0, 0
    for now, ms in _moments(rng, objects[0][3] - LEAD_IN, objects[-1][4]):
        while done < len(changes) and changes[done][0] <= now:
            _, down, column = changes[done]
            held = held | column if down else held & ~column
            done += 1
        yield ms, held, 0, 0
