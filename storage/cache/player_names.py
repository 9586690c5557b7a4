"""The names of all players in memory, to search them without reading the table."""

import re
from typing import NamedTuple

from domain.folding import ANY, ascii_folded
from domain.players import FoundPlayer
from storage.cache.bounded import BoundedMap
from storage.cache.hidden_players import HiddenPlayers
from storage.cache.texts import BEFORE_ALL, Source, TextIndex, Texts, Unfit
from storage.database import catalogue
from storage.database.database import Database

# Seconds until a renamed player is found by the new name, at most.
MAX_AGE = 60.0
PAGE, MOST_PLAYERS = 1000, 100_000
# How many names the database compares in one statement.
MAX_COMPARED = 1000
# Players in all results that are kept, some MiB. Each result counts for some more.
MAX_MATCHES, MATCHES_OVERHEAD = 500_000, 50
# Not 0 for a player whose name is not of printable ASCII characters.
UNUSUAL = "unusual"

# The collations in which no two ASCII characters are equal but the two cases of a letter, and in which any other
# character is equal at most to the letter that it is a form of. In Swedish, say, an ü equals a y.
_PLAIN = re.compile(
    r"utf8(mb[34])?_((general|unicode|unicode_520)(_nopad)?_ci|general_mysql500_ci|0900_a[is]_ci"
    r"|uca1400(_nopad)?_a[is]_ci)|uca1400(_nopad)?_a[is]_ci"
)
# A type with its length in characters.
_TYPE = re.compile(r"(?:var)?char\((\d+)\)")


def name_pattern(text: str) -> str:
    """Return the pattern of LIKE, with `!` as its escape character, that names with `text` in them match."""
    return "%" + "".join(f"!{char}" if char in "!%_" else char for char in text) + "%"


class _Matches(NamedTuple):
    """Whose names contain a text, of all names that are kept or of the first ones."""

    players: list[FoundPlayer]
    complete: bool


class _Found:
    """What has been found in the same texts, by the text that was searched for."""

    def __init__(self, texts: Texts[FoundPlayer] | None) -> None:
        self.texts = texts
        self.matches: BoundedMap[str, _Matches] = BoundedMap(
            MAX_MATCHES, weigh=lambda matches: MATCHES_OVERHEAD + len(matches.players)
        )


class PlayerNames:
    """Finds players by a part of their names."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._index = TextIndex(
            Source(
                self._read,
                lambda player: ascii_folded(player.name).encode(),
                {UNUSUAL: lambda player: not _is_usual(player.name)},
                what="players",
                page=PAGE,
                most=MOST_PLAYERS,
                keep=True,
            )
        )
        self._hidden = HiddenPlayers(database)
        # Replaced when the names are others, so that no older names stay in memory.
        self._found = _Found(None)
        # The longest name that the table can hold, in characters; read with the names.
        self._longest = 0

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._index.close()
        await self._hidden.close()

    async def find(self, text: str, limit: int) -> list[FoundPlayer] | None:
        """Return the first players, by id, whose names contain `text` as the database compares them.

        Hidden players are left out. Return None if only a search of the table can tell: for a text that is not of
        printable ASCII characters, while the names are not in memory, and if there are too many players or too
        many hidden ones. Raise Unavailable if the database cannot be reached.
        """
        # SQLite is for small worlds.
        if self._database.is_sqlite or not text or not _is_usual(text):
            return None
        texts = await self._index.get(MAX_AGE)
        hidden = await self._hidden.current() if texts else None
        if texts is None or hidden is None:
            return None
        if len(text) > self._longest:
            # LIKE compares character by character, trailing spaces too.
            return []
        if self._found.texts is not texts:
            self._found = _Found(texts)
        matches = self._found.matches
        known = matches.get(text)
        if known is None:
            known = await self._search(texts, text, hidden, limit)
            matches.put(text, known)
        found = [player for player in known.players if player.id not in hidden]
        if len(found) < limit and not known.complete:
            # More of the first ones have been hidden since.
            known = await self._search(texts, text, hidden, limit)
            matches.put(text, known)
            found = [player for player in known.players if player.id not in hidden]
        return found[:limit]

    async def _search(self, texts: Texts[FoundPlayer], text: str, hidden: frozenset[int], limit: int) -> _Matches:
        """Return the players who match, hidden or not, the first `limit` visible ones of them at least."""
        kept, unusual = texts.kept, texts.numbers[UNUSUAL]
        players: list[FoundPlayer] = []
        to_compare: list[int] = []
        blocks = texts.find([(text.lower().encode(), ANY.encode())])
        complete = False
        while not complete and sum(player.id not in hidden for player in players) < limit:
            visible = 0
            while visible < limit and not complete:
                rows = next(blocks, None)
                complete = rows is None
                for row in rows or ():
                    players.append(kept[row])
                    visible += kept[row].id not in hidden
                to_compare += [kept[row].id for row in rows or () if unusual[row]]
            if to_compare:
                mismatches = await self._mismatches(text, to_compare)
                players = [player for player in players if player.id not in mismatches]
                to_compare.clear()
        return _Matches(players, complete)

    async def _mismatches(self, text: str, ids: list[int]) -> set[int]:
        """Return which of these players do not match, as the database compares their names."""
        mismatches = set(ids)
        for begin in range(0, len(ids), MAX_COMPARED):
            some = tuple(ids[begin : begin + MAX_COMPARED])
            matching = await self._database.all(catalogue.players_named, ids=some, pattern=name_pattern(text))
            mismatches.difference_update(player.id for player in matching)
        return mismatches

    async def _read(self, after: int, limit: int) -> list[FoundPlayer]:
        if after == BEFORE_ALL:
            await self._read_column()
        return await self._database.all(catalogue.player_names, after=after, limit=limit)

    async def _read_column(self) -> None:
        """Read how long names can be. Raise Unfit if the database compares them in another way than this class."""
        for column in await self._database.all(catalogue.schema_columns):
            if (column.table_name, column.column_name) != ("users", "name"):
                continue
            if not _PLAIN.fullmatch(column.collation or ""):
                raise Unfit(f"users.name has the collation {column.collation}")
            length = _TYPE.fullmatch(column.column_type)
            if length is None:
                raise Unfit(f"users.name has the type {column.column_type}")
            self._longest = int(length[1])


def _is_usual(name: str) -> bool:
    return name.isascii() and name.isprintable()
