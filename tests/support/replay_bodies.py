"""Stored replays, made for tests."""

import lzma
import random


def bare(frames: int = 200) -> bytes:
    """Return frames as the game client sends them."""
    text = "".join(f"16|{number % 512}|{number % 384}|{number % 4}," for number in range(frames)) + "-12345|0|0|7,"
    return lzma.compress(text.encode(), format=lzma.FORMAT_ALONE)


def large(size: int) -> bytes:
    """Return `size` bytes that begin like bare frames and go on with noise, for tests that only send them."""
    start = bytes.fromhex("5d00002000ffffffffffffffff00")
    return start + random.Random(size).randbytes(size - len(start))
