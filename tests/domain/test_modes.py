"""The numbers of modes that clients send."""

import pytest

from domain.errors import APIError
from domain.modes import Mode, ruleset_mode


@pytest.mark.parametrize("value", [0, 1, 2, 3, 4, 5, 6, 8])
def test_modes_that_exist(value: int) -> None:
    assert ruleset_mode(value) == ruleset_mode(value, strict=True) == value


@pytest.mark.parametrize("value", [9, 10, 11, 12, -1, 2**63])
def test_modes_that_do_not_exist(value: int) -> None:
    for strict in (False, True):
        with pytest.raises(APIError) as caught:
            ruleset_mode(value, strict=strict)
        assert (caught.value.status, caught.value.message) == (400, "Invalid gamemode.")


def test_seven_is_the_old_number_of_autopilot() -> None:
    assert ruleset_mode(7) is Mode.AP_STD
    with pytest.raises(APIError):
        ruleset_mode(7, strict=True)


def test_which_modes_sort_by_pp() -> None:
    assert [mode.value for mode in Mode if mode.pp_board] == [4, 5, 6, 8]
