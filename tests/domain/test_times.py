"""Times in the time zone of the game server."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.times import in_utc, unzoned

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-01 18:04:05"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04:05"),
        # The beginning of the calendar has no time before it.
        (datetime(1, 1, 1), "0001-01-01 00:00:00"),
        (datetime(9999, 12, 31, 23, 59, 59), "9999-12-31 14:59:59"),
    ],
)
def test_in_utc(time: datetime, expected: str) -> None:
    assert unzoned(in_utc(time, TOKYO)) == expected


def test_the_zone_of_this_machine() -> None:
    time = datetime(2026, 7, 2, 3, 4, 5)
    assert in_utc(time, None) == time.astimezone(UTC)
    assert in_utc(datetime.min, None).year == 1
