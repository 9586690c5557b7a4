"""Times of the game server in Unix seconds, and in UTC."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.times import in_utc, unix_time, unzoned, utc_text

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("time", "zone", "unix"),
    [
        (datetime(1970, 1, 1), UTC, 0),
        (datetime(2026, 1, 2, 3, 4, 5), UTC, 1767323045),
        (datetime(2026, 1, 2, 3, 4, 5), BERLIN, 1767323045 - 3600),
        (datetime(2026, 7, 2, 3, 4, 5), BERLIN, 1782961445 - 7200),
        (datetime(2026, 1, 2, 3, 4, 5), timezone(timedelta(hours=-5)), 1767323045 + 18000),
        (datetime(1, 1, 1), UTC, -62135596800),
    ],
)
def test_the_offset_is_that_of_the_zone_at_that_time(time: datetime, zone: tzinfo, unix: int) -> None:
    assert unix_time(time, zone) == unix


@given(st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30)))
def test_as_the_library_has_it(time: datetime) -> None:
    for zone in (UTC, BERLIN, ZoneInfo("Australia/Lord_Howe")):
        assert unix_time(time, zone) == time.replace(tzinfo=zone).timestamp() // 1


@given(st.datetimes())
def test_any_time_of_this_machine(time: datetime) -> None:
    assert abs(unix_time(time, None) - unix_time(time, UTC)) <= 86400


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


@given(st.datetimes().map(lambda time: time.replace(microsecond=0)))
def test_the_text_in_utc(time: datetime) -> None:
    for zone in (None, UTC, BERLIN, TOKYO, timezone(timedelta(hours=-5))):
        assert utc_text(time, zone) == unzoned(in_utc(time, zone))


@pytest.mark.parametrize("time", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)])
def test_the_text_at_the_ends_of_the_calendar(time: datetime) -> None:
    for hours in (-5, 9):
        zone = timezone(timedelta(hours=hours))
        assert utc_text(time, zone) == unzoned(in_utc(time, zone))
