"""The time in the demo world. It is fixed, so that the world does not depend on when it is built."""

from datetime import UTC, datetime, timedelta

OPENED = int(datetime(2022, 11, 1, tzinfo=UTC).timestamp())
NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
EPOCH = datetime(1970, 1, 1)
SCATTER = 2_654_435_761  # coprime to 2**32, so its multiples look random


def moment(number: int, count: int) -> int:
    """Return the Unix time of the `number`th of `count` events, which are spread over the life of the server.

    Later events never have an earlier time.
    """
    return OPENED + (number * 2**32 + number * SCATTER % 2**32) * (NOW - OPENED) // (count * 2**32)


def datetime_text(unix: int) -> str:
    """Return a Unix time in the format of DATETIME columns: `2026-06-01 00:00:00`, UTC."""
    return str(EPOCH + timedelta(seconds=unix))
