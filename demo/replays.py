"""Replays: what the osu! client uploads for a score, which is the compressed frames and nothing else."""

import lzma
from collections.abc import Iterable, Iterator
from itertools import cycle
from random import Random

from demo.charts import HEIGHT, SLIDER, SPINNER, WIDTH, HitObject
from demo.mods import HR, RX
from demo.results import CATCH, MANIA, STANDARD, TAIKO

Frame = tuple[int, float, float, int]  # ms since the frame before, x, y, pressed keys
Waypoint = tuple[int, float, float]  # ms, x, y
Press = tuple[int, int, int]  # from and until when, in ms; which keys
OPENING: tuple[Frame, ...] = ((0, 256, -500, 0), (-1, 256, -500, 0))
SEED_FRAME = -12345
FRAME_MS = (16, 17, 16, 17, 16, 17, 33, 8, 16)
LEAD_IN, LEAD_OUT = 600, 300  # ms
BUTTONS = {STANDARD: (1 | 4, 2 | 8), TAIKO: (1, 4, 2, 8)}  # keyboard keys of standard press a mouse button, too
TAP_MS = 60
DASH, DASH_SPEED = 1, 9.0
DRUM = (320.0, 9999.0)  # where the client says the cursor is in taiko
SPIN = (0.8, 0.6)  # cosine and sine of a frame's turn: six turns a second
# As the client packs them: a dictionary of 2 MiB. The fast search costs a tenth in size, a quarter of the time.
LZMA = {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 21, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC4, "nice_len": 64}


def replay(seed: str, ruleset: int, mods: int, objects: list[HitObject], *, missed: int, columns: int) -> bytes:
    """The body of a .osr file for a play of these objects, with `missed` of them not tapped."""
    rng = Random(seed)
    skipped = set(rng.sample(range(len(objects)), min(missed, len(objects))))
    tapped = [o for number, o in enumerate(objects) if number not in skipped]
    if mods & HR and ruleset == STANDARD:
        objects = [(kind, x, HEIGHT - y, start, end, far) for kind, x, y, start, end, far in objects]
    presses = _presses(tapped, BUTTONS[ruleset]) if ruleset in BUTTONS and not mods & RX else []
    frames = _held(rng, objects, tapped, columns) if ruleset == MANIA else _moved(rng, objects, presses)
    if ruleset == TAIKO:
        frames = ((ms, *DRUM, keys) for ms, _, _, keys in frames)
    elif ruleset == CATCH:
        frames = _caught(frames)
    return compressed((*OPENING, *frames, (SEED_FRAME, 0, 0, rng.randrange(2**31))))


def compressed(frames: Iterable[Frame]) -> bytes:
    """The frames as text, `ms|x|y|keys,` each, in an LZMA stream of the old format."""
    text = "".join([f"{ms}|{x:g}|{y:g}|{keys}," for ms, x, y, keys in frames])
    return lzma.compress(text.encode("ascii"), format=lzma.FORMAT_ALONE, filters=[LZMA])


def _presses(objects: list[HitObject], buttons: tuple[int, ...]) -> list[Press]:
    return [
        (start, max(end, start + TAP_MS), keys)
        for (_, _, _, start, end, _), keys in zip(objects, cycle(buttons), strict=False)
    ]


def _moments(rng: Random, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The time of every frame in ms, and how long after the one before it is."""
    before, now = -1, start
    while now < end + LEAD_OUT:
        yield now, now - before
        before, now = now, now + FRAME_MS[int(rng.random() * len(FRAME_MS))]


def _moved(rng: Random, objects: list[HitObject], presses: list[Press]) -> Iterator[Frame]:
    """Frames of a cursor that goes from object to object and presses keys on its way."""
    path = _path(objects)
    here, pressing = 0, 0
    for now, ms in _moments(rng, path[0][0], path[-1][0]):
        while here + 2 < len(path) and path[here + 1][0] <= now:
            here += 1
        while pressing < len(presses) and presses[pressing][1] <= now:
            pressing += 1
        x, y = _between(path[here], path[here + 1], now)
        down = pressing < len(presses) and presses[pressing][0] <= now
        yield ms, x + rng.random() / 4, y + rng.random() / 4, presses[pressing][2] if down else 0


def _path(objects: list[HitObject]) -> list[Waypoint]:
    """Where the cursor must be when, at least two points of it."""
    path: list[Waypoint] = [(objects[0][3] - LEAD_IN, WIDTH / 2, HEIGHT / 2)]
    for kind, x, y, start, end, far in objects:
        path.append((start, x, y))
        if kind == SLIDER:
            path.append((end, far, y))
        elif kind == SPINNER:
            path.extend(_spun(x, y, start, end))
    return path


def _spun(x: float, y: float, start: int, end: int) -> Iterator[Waypoint]:
    across, down = 80.0, 0.0
    for now in range(start, end, FRAME_MS[0]):
        across, down = across * SPIN[0] - down * SPIN[1], across * SPIN[1] + down * SPIN[0]
        yield now, x + across, y + down


def _between(one: Waypoint, two: Waypoint, now: int) -> tuple[float, float]:
    """The cursor at `now`: slow at both ends, quick in the middle."""
    done = min(max((now - one[0]) / max(1, two[0] - one[0]), 0.0), 1.0)
    done = done * done * (3 - 2 * done)
    return one[1] + (two[1] - one[1]) * done, one[2] + (two[2] - one[2]) * done


def _caught(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The same way on the ground; the catcher dashes where it must be quick."""
    before = WIDTH / 2
    for ms, x, _, _ in frames:
        yield ms, x, HEIGHT, DASH if abs(x - before) > DASH_SPEED else 0
        before = x


def _held(rng: Random, objects: list[HitObject], tapped: list[HitObject], columns: int) -> Iterator[Frame]:
    """Frames of mania, whose x is the set of columns held down."""
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
