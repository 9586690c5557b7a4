"""The names of all players in memory, to search them without reading the table."""

import re

from domain.folding import ANY, ascii_folded
from domain.players import FoundPlayer
from storage.cache.bounded import BoundedMap
from storage.cache.hidden_players import HiddenPlayers
from storage.cache.texts import BEFORE_ALL, Source, TextIndex, Unfit
from storage.database import catalogue
from storage.database.database import Database

# A player who is renamed is found by the new name at the latest after as many seconds.
MAX_AGE = 60.0
PAGE, MOST_PLAYERS = 1000, 100_000
# How many names the database compares in one statement, and how many of its verdicts are remembered.
MAX_COMPARED, MAX_VERDICTS = 1000, 50_000
# Not 0 for a player whose name is not of printable ASCII characters.
UNUSUAL = "unusual"

# The collations in which no two ASCII characters are equal but the two cases of a letter, and in which any other
# character is equal at most to the letter that it is a form of. In Swedish, say, an ü equals a y.
_PLAIN = re.compile(
    r"utf8(mb[34])?_((general|unicode|unicode_520)(_nopad)?_ci|general_mysql500_ci|0900_a[is]_ci"
    r"|uca1400(_nopad)?_a[is]_ci)|uca1400(_nopad)?_a[is]_ci"
)


def name_pattern(text: str) -> str:
    """Return the pattern of LIKE, with `!` as its escape character, that names with `text` in them match."""
    return "%" + "".join(f"!{char}" if char in "!%_" else char for char in text) + "%"


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
        # For a text: unusual names, and whether the database says that they contain it.
        self._verdicts: BoundedMap[str, dict[str, bool]] = BoundedMap(MAX_VERDICTS, weigh=_weight)

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
        kept, unusual = texts.kept, texts.numbers[UNUSUAL]
        found: list[FoundPlayer] = []
        to_compare: list[FoundPlayer] = []
        for rows in texts.find([(text.lower().encode(), ANY.encode())]):
            found += [player for row in rows if (player := kept[row]).id not in hidden]
            to_compare += [kept[row] for row in rows if unusual[row] and kept[row].id not in hidden]
            if len(found) >= limit and to_compare:
                found = await self._without_mismatches(text, found, to_compare)
                to_compare.clear()
            if len(found) >= limit:
                break
        if to_compare:
            found = await self._without_mismatches(text, found, to_compare)
        return found[:limit]

    async def _without_mismatches(
        self, text: str, found: list[FoundPlayer], to_compare: list[FoundPlayer]
    ) -> list[FoundPlayer]:
        """Return `found` without those of the players to compare who do not match in the database's eyes."""
        verdicts = self._verdicts.get(text) or {}
        unknown = [player.id for player in to_compare if player.name not in verdicts]
        for begin in range(0, len(unknown), MAX_COMPARED):
            ids = tuple(unknown[begin : begin + MAX_COMPARED])
            rows = await self._database.all(catalogue.players_named, ids=ids, pattern=name_pattern(text))
            verdicts = verdicts | {row.name: row.matches for row in rows}
            self._verdicts.put(text, verdicts)
        # A player who has been renamed meanwhile is found by the old name no more.
        mismatches = {player.id for player in to_compare if not verdicts.get(player.name)}
        return [player for player in found if player.id not in mismatches] if mismatches else found

    async def _read(self, after: int, limit: int) -> list[FoundPlayer]:
        if after == BEFORE_ALL:
            await self._require_plain_collation()
        return await self._database.all(catalogue.player_names, after=after, limit=limit)

    async def _require_plain_collation(self) -> None:
        for column in await self._database.all(catalogue.schema_columns):
            is_name = (column.table_name, column.column_name) == ("users", "name")
            if is_name and not _PLAIN.fullmatch(column.collation or ""):
                raise Unfit(f"users.name has the collation {column.collation}")


def _is_usual(name: str) -> bool:
    return name.isascii() and name.isprintable()


def _weight(verdicts: dict[str, bool]) -> int:
    return 10 + len(verdicts)
