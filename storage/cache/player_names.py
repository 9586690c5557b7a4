"""The names of all players in memory, to find the few that a search has to read."""

import re
from collections.abc import Iterator

from domain.folding import ANY, ascii_folded
from domain.players import FoundPlayer
from storage.cache.texts import BEFORE_ALL, Source, TextIndex, Unfit
from storage.database import catalogue
from storage.database.database import Database

# A name that was changed is found by its new form at the latest after as many seconds.
MAX_AGE = 60.0
PAGE, MOST_PLAYERS = 1000, 100_000

# The collations in which no two ASCII characters are equal but the two cases of a letter, and others equal at most
# the letter that they are a form of. In Swedish, say, an ü equals a y.
_PLAIN = re.compile(
    r"utf8(mb[34])?_((general|unicode|unicode_520|uca1400)(_nopad)?(_a[is])?_c[is]|general_mysql500_ci|bin|nopad_bin"
    r"|0900_(ai_ci|as_c[is]|bin))|uca1400(_nopad)?_a[is]_c[is]"
)


class PlayerNames:
    """Finds the players whose names may contain a text."""

    def __init__(self, database: Database) -> None:
        self._database = database
        source = Source(self._read, _text, {}, what="players", page=PAGE, most=MOST_PLAYERS)
        self._index = TextIndex(source)

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._index.close()

    async def candidates(self, text: str) -> Iterator[list[int]] | None:
        """Yield the ids of the players whose names may contain `text`, in their order, in a few lists.

        There is no other player whose name contains it, as the database compares names. Return None if that is
        only known to the database: for a text that is not of printable ASCII characters, while the names are not
        in memory, and if there are too many. Raise Unavailable if the database cannot be reached.
        """
        if not (text.isascii() and text.isprintable() and text):
            return None
        texts = await self._index.get(MAX_AGE)
        if texts is None:
            return None
        ids = texts.ids
        word = (text.lower().encode(), ANY.encode())
        return ([ids[row] for row in rows] for rows in texts.find([word]))

    async def _read(self, after: int, limit: int) -> list[FoundPlayer]:
        if after == BEFORE_ALL and not self._database.is_sqlite:
            await self._require_plain_collation()
        return await self._database.all(catalogue.player_names, after=after, limit=limit)

    async def _require_plain_collation(self) -> None:
        for column in await self._database.all(catalogue.schema_columns):
            is_name = (column.table_name, column.column_name) == ("users", "name")
            if is_name and column.collation and not _PLAIN.fullmatch(column.collation):
                raise Unfit(f"users.name has the collation {column.collation}")


def _text(player: FoundPlayer) -> bytes:
    return ascii_folded(player.name).encode()
