"""The playable part of a beatmap: its hit objects, made anew from a few numbers whenever they are needed."""

from random import Random

import msgspec

CIRCLE, SLIDER, SPINNER, HOLD = range(4)
HitObject = tuple[int, int, int, int, int, int]  # kind, x, y, start and end in ms, the x where it ends
START = 1000  # ms; of the first object
WIDTH, HEIGHT = 512, 384
BEATS_A_STEP = (2.0, 1.0, 0.75, 0.5, 0.5, 0.5)  # by level: how far apart the notes are
SLIDER_VELOCITY = 120  # osu! pixels a beat


class Chart(msgspec.Struct, frozen=True):
    """What the objects are made from; `level` is 0-5 (Easy to Extra), `keys` counts the columns of mania."""

    seed: str
    ruleset: int
    level: int
    bpm: float
    seconds: int
    keys: int


class Content(msgspec.Struct, frozen=True):
    """How many objects a chart has. A slider of two beats has one tick, a shorter one none."""

    circles: int
    sliders: int
    ticks: int
    spinners: int
    length: int  # ms, from the first object's start to the last one's end


def hit_objects(chart: Chart) -> list[HitObject]:
    rng = Random(chart.seed)
    beat = 60_000 / chart.bpm
    step = beat * BEATS_A_STEP[chart.level]
    end = START + chart.seconds * 1000
    return _columns(rng, chart, step, end) if chart.ruleset == 3 else _stream(rng, chart, beat, step, end)


def _stream(rng: Random, chart: Chart, beat: float, step: float, end: float) -> list[HitObject]:
    """Circles and sliders, each within reach of the one before; a spinner ends every third chart."""
    objects: list[HitObject] = []
    draw = rng.random
    x, y, time = 256.0, 192.0, float(START)
    reach = 80 + chart.level * 20
    while time < end:
        # As far as `reach` each way, but turned back at the edge of the playfield.
        x += (draw() - (0 if x < reach else 1 if x > WIDTH - reach else 0.5)) * reach
        y += (draw() - (0 if y < reach else 1 if y > HEIGHT - reach else 0.5)) * reach
        kind = draw()
        if kind < 0.2:
            beats = 2 if kind < 0.06 else 1
            far = _slider_end(int(x), beats)
            objects.append((SLIDER, int(x), int(y), int(time), int(time + beats * beat), far))
            x = far
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
    """Notes and holds, two at a time now and then, never two in one column at once."""
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
        ticks=sum(abs(far - x) > SLIDER_VELOCITY for _, x, _, _, _, far in objects),
        spinners=kinds.count(SPINNER),
        length=objects[-1][4] - objects[0][3],
    )
