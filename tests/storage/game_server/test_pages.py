"""The pages of the game server, as it sends them and as players may try to forge them."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.live import Match, MatchMap, NamedPlayer
from storage.game_server.pages import OnlineList, read_matches, read_online
from tests.support.game_server import FRAME, MAINTENANCE

ONLINE = """users:
( 12): jaxtal66314
(  5): bel_ren44453
(134): keivor
bots:
(  1): banchobot"""
MATCHES = """matches:
ongoing (1): livelab 試合: (A) vs (B)
-- beatmap: t+pazolite - Endless 之歌 [Hard]
-- host   : <12> jaxtal66314
idle    (0): filler match
-- beatmap: …
-- host   : <130> sazu"""


def page_match(id: int, name: str, *, host: tuple[int, str], map_name: str, in_progress: bool) -> Match:
    return Match(
        id=id,
        name=name,
        mode=None,
        mods=None,
        seed=None,
        host=NamedPlayer(id=host[0], name=host[1]),
        refs=None,
        in_progress=in_progress,
        is_scrimming=None,
        map=MatchMap(id=None, md5=None, name=map_name),
        active_slots=None,
    )


def listing(*matches: tuple[int, str, str]) -> str:
    lines = [f"idle    ({id:>2}): {name}\n-- beatmap: {song}\n-- host   : <7> seven" for id, name, song in matches]
    return FRAME.format("\n".join(["matches:", *lines]))


def test_online() -> None:
    assert read_online(FRAME.format(ONLINE)) == OnlineList(
        players={12: "jaxtal66314", 5: "bel_ren44453", 134: "keivor"}, bots={1: "banchobot"}
    )


def test_nobody_online() -> None:
    assert read_online(FRAME.format("users:\n\nbots:\n(1): banchobot")) == OnlineList(
        players={}, bots={1: "banchobot"}
    )


def test_matches_in_the_order_of_their_ids() -> None:
    lines = MATCHES.split("\n")
    found = read_matches(FRAME.format("\n".join([lines[0], *lines[4:], *lines[1:4]])))
    song = "t+pazolite - Endless 之歌 [Hard]"
    assert found == {
        0: page_match(0, "filler match", host=(130, "sazu"), map_name="…", in_progress=False),
        1: page_match(1, "livelab 試合: (A) vs (B)", host=(12, "jaxtal66314"), map_name=song, in_progress=True),
    }


def test_no_matches() -> None:
    assert read_matches(FRAME.format("matches:\n")) == {}


@pytest.mark.parametrize("page", ["", MAINTENANCE, '{"detail":"Not Found"}', FRAME.format("nothing here")])
def test_other_pages(page: str) -> None:
    assert read_online(page) is None
    assert read_matches(page) is None


def test_a_match_of_another_form() -> None:
    assert read_matches(FRAME.format("matches:\nidle (0): x\n-- beatmap: y\n-- owner: z")) is None


def test_ids_beyond_the_last_match() -> None:
    assert list(read_matches(listing((3, "a", "b"), (64, "c", "d"), (99, "e", "f"))) or {}) == [3]


texts = st.text("ab 0:()<>&-試\n\r\x0b\u2028", max_size=30)
names = texts | st.sampled_from(
    [
        "\nidle    (5): forged",
        "\n-- beatmap: forged",
        "a\r\n\u2028\x0b</body>\n</html>",
        "<img src=x>\n",
        "\nmatches:\n",
    ]
)


@given(st.dictionaries(st.integers(0, 63), st.tuples(names, names), max_size=5))
@example({1: ("\nidle    (5): forged", "x"), 5: ("real", "y")})
def test_names_do_not_make_matches(matches: dict[int, tuple[str, str]]) -> None:
    """A name of several lines is read back unchanged, unless it forges the next line of its own match."""
    harmless = {
        id: (name.replace("\n-- beatmap", "\n--"), song.replace("\n-- host", "\n--"))
        for id, (name, song) in sorted(matches.items())
    }
    found = read_matches(listing(*((id, *texts) for id, texts in harmless.items())))
    assert found is not None
    assert {id: (match.name, match.map.name) for id, match in found.items()} == harmless


def test_forged_match_comes_after_its_forger() -> None:
    forged = "x\n-- beatmap: y\n-- host   : <3> three\nidle    (0): fake\n-- beatmap: z\n-- host   : <3> three"
    found = read_matches(listing((2, forged, "song"), (4, "real", "song"))) or {}
    assert {id: match.name for id, match in found.items()} == {2: "x", 4: "real"}


@given(texts)
def test_any_text(text: str) -> None:
    for page in (text, FRAME.format(f"users:\n{text}"), FRAME.format(f"matches:\n{text}")):
        read_online(page)
        read_matches(page)


def test_huge_page_takes_no_time() -> None:
    lines = "idle    (1): x\n" * 60_000
    result: Any = read_matches(FRAME.format(f"matches:\n{lines}"))
    assert result is None
