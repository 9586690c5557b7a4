"""The hit objects of a beatmap. They are not stored but generated again, from a seed, when they are needed."""

from random import Random

import msgspec

CIRCLE, SLIDER, SPINNER, HOLD = range(4)
HitObject = tuple[int, int, int, int, int, int]  # kind, x, y, start and end in ms, x at the end
START = 1000  # time of the first object in ms
WIDTH, HEIGHT = 512, 384
BEATS_A_STEP = (2.0, 1.0, 0.75, 0.5, 0.5, 0.5)  # by level: distance between notes
SLIDER_VELOCITY = 120  # osu! pixels per beat


class Chart(msgspec.Struct, frozen=True):
    """What the objects are generated from. `level` is 0-5 (Easy to Extra), `keys` the number of mania columns."""

    seed: str
    ruleset: int
    level: int
    bpm: float
    seconds: int
    keys: int


class Content(msgspec.Struct, frozen=True):
    """The numbers of objects in a chart. A slider of two beats has one tick, a slider of one beat has none."""

    circles: int
    sliders: int
    ticks: int
    spinners: int
    length: int  # ms, from the start of the first object to the end of the last


def hit_objects(chart: Chart) -> list[HitObject]:
    rng = Random(chart.seed)
    beat = 60_000 / chart.bpm
    step = beat * BEATS_A_STEP[chart.level]
    end = START + chart.seconds * 1000
    return _columns(rng, chart, step, end) if chart.ruleset == 3 else _stream(rng, chart, beat, step, end)


def _stream(rng: Random, chart: Chart, beat: float, step: float, end: float) -> list[HitObject]:
    """Return circles and sliders, each within reach of the previous one. A third of them end in a spinner."""
    objects: list[HitObject] = []
    draw = rng.random
    x, y, time = 256.0, 192.0, float(START)
    reach = 80 + chart.level * 20
    while time < end:
        # Up to `reach` in each direction, and away from the edge of the playfield if that is near.
        x += (draw() - (0 if x < reach else 1 if x > WIDTH - reach else 0.5)) * reach
        y += (draw() - (0 if y < reach else 1 if y > HEIGHT - reach else 0.5)) * reach
        kind = draw()
        if kind < 0.2:
            beats = 2 if kind < 0.06 else 1
            end_x = _slider_end(int(x), beats)
            objects.append((SLIDER, int(x), int(y), int(time), int(time + beats * beat), end_x))
            x = end_x
            time += beats * beat
        else:
            objects.append((CIRCLE, int(x), int(y), int(time), int(time), int(x)))
        time += step
    if draw() < 0.34:
        objects.append((SPINNER, 256, 192, int(time + beat), int(time + 5 * beat), 256))
    return objects


def _slider_end(x: int, beats: int) -> int:
    length = beats * SLIDER_VELOCITY
    return x + length if x + length <= WIDTH else x - length


def _columns(rng: Random, chart: Chart, step: float, end: float) -> list[HitObject]:
    """Return notes and holds, sometimes two at a time, never two in one column at the same time."""
    objects: list[HitObject] = []
    draw = rng.random
    column, time = 0, float(START)
    while time < end:
        column = (column + 1 + int(draw() * (chart.keys - 2))) % chart.keys
        x = (2 * column + 1) * WIDTH // (2 * chart.keys)
        kind = draw()
        if kind < 0.15:
            objects.append((HOLD, x, 192, int(time), int(time + step * 0.75), x))
        else:
            objects.append((CIRCLE, x, 192, int(time), int(time), x))
            if kind > 0.8:
                other = (2 * ((column + 1) % chart.keys) + 1) * WIDTH // (2 * chart.keys)
                objects.append((CIRCLE, other, 192, int(time), int(time), other))
        time += step
    return objects


def count(objects: list[HitObject]) -> Content:
    kinds = [hit_object[0] for hit_object in objects]
    return Content(
        circles=kinds.count(CIRCLE),
        sliders=kinds.count(SLIDER) + kinds.count(HOLD),
        ticks=sum(abs(end_x - x) > SLIDER_VELOCITY for _, x, _, _, _, end_x in objects),
        spinners=kinds.count(SPINNER),
        length=objects[-1][4] - objects[0][3],
    )
