"""The world's time: fixed, so that a world built tomorrow is the same."""

from datetime import UTC, datetime, timedelta

OPENED = int(datetime(2022, 11, 1, tzinfo=UTC).timestamp())
NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
EPOCH = datetime(1970, 1, 1)
SCATTER = 2_654_435_761  # coprime to 2**32: the multiples look random, and need no memory


def moment(number: int, count: int) -> int:
    """Unix time of the `number`th of `count` events spread over the server's life; never earlier than the last."""
    return OPENED + (number * 2**32 + number * SCATTER % 2**32) * (NOW - OPENED) // (count * 2**32)


def datetime_text(unix: int) -> str:
    """As a DATETIME column prints it: `2026-06-01 00:00:00`, UTC."""
    return str(EPOCH + timedelta(seconds=unix))
