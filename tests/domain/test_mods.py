"""The grammar of the `mods` parameter, and the acronyms of a bitmask."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import APIError
from domain.modes import Mode
from domain.mods import (
    ACRONYMS,
    ALL_MODS,
    BITS,
    ScoreFilter,
    acronyms,
    bitmask,
    exact_bitmask,
    readable,
    score_filter,
)

HD, SD, DT, RX, NC, AP, PF = 8, 32, 64, 128, 512, 8192, 16384


@pytest.mark.parametrize(
    "text", [None, "", "0", "00", "NM", "vn", "VN", "xyz", "=", "==", "=0", "=vn", "=NM", " ", "H", "٠"]
)
def test_no_filter(text: str | None) -> None:
    assert score_filter(3, text) == ScoreFilter(Mode.VN_MANIA)


@pytest.mark.parametrize("text", ["~", "~0", "~vn", "~NM", "~xyz", "~=", "~H", "~" + "9" * 5000])
def test_weak_and_no_mods_matches_nothing(text: str) -> None:
    assert score_filter(0, text) is None


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("HD", HD),
        ("hddt", HD | DT),
        ("DtHd", HD | DT),
        ("=HDDT", HD | DT),
        ("72", HD | DT),
        ("=72", HD | DT),
        ("072", HD | DT),
        ("٧٢", HD | DT),
        ("²8", 0),
        ("HDxxDTq", HD | DT),
        ("HDx", HD),
        ("xHD", 0),
        ("HD72", HD),
        ("HD,DT", HD),
        ("-8", 0),
        (" 8", 0),
        ("+HD", 0),
        ("HDﬁ", HD),
        ("HDvn", HD),
        ("HDRX", HD | RX),
        ("=rx", RX),
        ("=ap", AP),
        ("=~HD", 0),
        ("V2MR", 3 << 29),
        (str(ALL_MODS), ALL_MODS),
    ],
)
def test_strong(text: str, mask: int) -> None:
    assert score_filter(0, text) == ScoreFilter(Mode.VN_STD, mask)


@pytest.mark.parametrize(
    ("text", "mask"), [("~HDDT", HD | DT), ("~72", HD | DT), ("~rx", RX), (f"~{2**31 + 8}", HD)]
)
def test_weak(text: str, mask: int) -> None:
    assert score_filter(0, text) == ScoreFilter(Mode.VN_STD, mask, weak=True)


@pytest.mark.parametrize("text", [str(2**31), str(2**64), "9" * 20, "9" * 5000, "=" + "1" * 16_000])
def test_a_bit_that_no_score_has_matches_nothing(text: str) -> None:
    assert score_filter(0, text) is None


@pytest.mark.parametrize(
    ("text", "modes"),
    [
        ("vn", {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 8: 8}),
        ("rx", {0: 4, 1: 5, 2: 6, 3: None, 4: 4, 5: 5, 6: 6, 7: None, 8: None}),
        ("ap", {0: 8, 1: None, 2: None, 3: None, 4: None, 5: None, 6: None, 7: 8, 8: 8}),
    ],
)
def test_vn_rx_and_ap_choose_a_mode(text: str, modes: dict[int, int | None]) -> None:
    for mode, meant in modes.items():
        for spelling in (text, text.upper(), text.title()):
            assert score_filter(mode, spelling) == (None if meant is None else ScoreFilter(Mode(meant)))


@pytest.mark.parametrize("text", ["", "vn", "rx", "ap", "~", "HD"])
def test_the_mode_is_checked_whatever_the_mods(text: str) -> None:
    for mode, strict in ((9, False), (7, True)):
        with pytest.raises(APIError):
            score_filter(mode, text, strict=strict)


def test_acronyms_are_those_of_the_game_in_bit_order() -> None:
    assert (len(ACRONYMS), len(set(ACRONYMS))) == (31, 31)
    assert acronyms(0) == readable(0) == "NM"
    assert acronyms(ALL_MODS) == "NFEZTDHDHRSDDTRXHTNCFLAUSOAPPF4K5K6K7K8KFIRNCNTP9KCO1K3K2KV2MR"
    assert {name: BITS[name] for name in ("NF", "RX", "NC", "AP", "V2", "MR")} == {
        "NF": 1,
        "RX": 128,
        "NC": 512,
        "AP": 8192,
        "V2": 1 << 29,
        "MR": 1 << 30,
    }


@given(st.integers(0, ALL_MODS))
def test_acronyms_lead_back_to_their_bits(mods: int) -> None:
    assert bitmask(acronyms(mods)) == bitmask(acronyms(mods).lower()) == bitmask(str(mods)) == mods


@given(st.integers(-(2**63), 2**63))
def test_any_number_has_acronyms(mods: int) -> None:
    assert bitmask(acronyms(mods)) == mods & ALL_MODS


@given(st.integers(0, ALL_MODS))
def test_nothing_but_the_implied_mods_is_left_out(mods: int) -> None:
    left_out = (DT if mods & NC else 0) | (SD if mods & PF else 0)
    assert bitmask(readable(mods)) == mods & ~left_out


@pytest.mark.parametrize(
    ("mods", "text"),
    [
        (NC | DT, "NC"),
        (NC, "NC"),
        (DT, "DT"),
        (PF | SD, "PF"),
        (PF, "PF"),
        (SD, "SD"),
        (HD | NC | DT, "HDNC"),
        (NC | DT | PF | SD, "NCPF"),
    ],
)
def test_players_write_one_mod_where_the_game_sets_two_bits(mods: int, text: str) -> None:
    assert readable(mods) == text


@given(st.integers(0, ALL_MODS))
def test_exact_mods_of_what_the_game_sets(mods: int) -> None:
    mods |= (DT if mods & NC else 0) | (SD if mods & PF else 0)
    for text in (str(mods), acronyms(mods), readable(mods), readable(mods).lower()):
        assert exact_bitmask(text) == mods


@pytest.mark.parametrize("text", ["x", "HDx", "HDXX", "-1", "1.0", " 8", "HD DT", "NMHD", "~HD", "ß"])
def test_a_text_without_mods_is_not_exact(text: str) -> None:
    assert exact_bitmask(text) is None


@settings(max_examples=300)
@given(st.one_of(st.text(min_size=1, max_size=60), st.integers(0).map(str)))
def test_any_exact_mods_are_a_bitmask_or_none(text: str) -> None:
    found = exact_bitmask(text)
    assert found is None or 0 <= found <= ALL_MODS + 1


@settings(max_examples=300)
@given(st.text(max_size=60), st.integers(0, 8))
def test_any_text_is_a_filter_or_none(text: str, mode: int) -> None:
    found = score_filter(mode, text)
    assert found is None or 0 <= found.mask <= ALL_MODS
