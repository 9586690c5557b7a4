"""A database with replicas, from which most rows are read."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from domain.errors import Unavailable
from storage.availability import Availability
from storage.database.database import Change, Database, Query, Result
from storage.database.failures import describe
from storage.database.statement import Statement, Value

log = logging.getLogger("apidot")

# Seconds between two looks at how far a replica is behind.
INTERVAL = 1.0
# Servers tell whole seconds, and what they tell is as old as the last look, which may take as long again.
UNCERTAINTY = 2 * INTERVAL + 1.0


class ReplicaStatus(msgspec.Struct, frozen=True):
    """What a replica tells about itself, in the words of newer servers and in those of older ones.

    The seconds are None if the replica does not receive or apply changes.
    """

    Seconds_Behind_Source: int | None = None
    Seconds_Behind_Master: int | None = None

    @property
    def lag(self) -> int | None:
        """How many seconds it is behind, None if it does not know."""
        if self.Seconds_Behind_Source is None:
            return self.Seconds_Behind_Master
        return self.Seconds_Behind_Source


class UnknownLag(Exception):
    """How far a replica is behind cannot be found out. The message says why."""


class Replica:
    """A server that follows the primary, and whether it may be read from."""

    def __init__(self, place: str, database: Database, statements: Sequence[Query[ReplicaStatus]]) -> None:
        """`place` is its address for logs. Of `statements`, the first that the server runs tells its lag."""
        self.place = place
        self.database = database
        self._statements = statements
        self._statement: Query[ReplicaStatus] | None = None
        self._availability = Availability(
            f"the replica {place}", "reading elsewhere", fails="is not used", works="is used again"
        )
        self.is_usable = False

    async def lag(self) -> int:
        """Return how many seconds it is behind.

        Raise UnknownLag if it does not tell, and Unavailable if it does not answer.
        """
        if self._statement is None:
            self._statement = await self._find_statement()
        return _greatest(await self.database.all(self._statement))

    async def _find_statement(self) -> Query[ReplicaStatus]:
        refusal: Exception | None = None
        for statement in self._statements:
            refusal = await self.database.refusal(statement)
            if refusal is None:
                return statement
        raise UnknownLag(f"the user may not see how far it is behind: {describe(refusal)}")

    async def reason_against(self, most: float) -> str | None:
        """Return why it is not read from, None if it is up and at most `most` seconds behind."""
        try:
            async with asyncio.timeout(INTERVAL):
                lag = await self.lag()
        except TimeoutError:
            return f"no answer within {INTERVAL:g} s"
        except UnknownLag as error:
            return str(error)
        except Unavailable as error:
            # After an upgrade, the server may need the other statement.
            self._statement = None
            return describe(error.__cause__ or error)
        return f"{lag} s behind" if lag > most else None

    async def look(self, most: float) -> None:
        """Find out whether it is read from."""
        reason = await self.reason_against(most)
        self.is_usable = reason is None
        if reason is None:
            self._availability.up()
        else:
            self._availability.down(reason)


class ReplicatedDatabase(Database):
    """The primary, to which changes go, and replicas, from which Queries are read while they are close behind.

    What a replica does not answer, the primary does. For some seconds after a change, Queries that show what it
    has changed are read from the primary, so that nobody sees what was there before.
    """

    def __init__(
        self,
        url: str,
        replicas: Iterable[Replica],
        *,
        max_lag: float,
        changes: Iterable[Change],
        version: Callable[[], bytes | None],
        **options: Any,
    ) -> None:
        """`max_lag` is in seconds. `options` are those of Database, for the primary.

        `changes` are those that may be made; `version` is another one after each change, also those of other
        workers and hosts, and None while that is unknown.
        """
        super().__init__(url, **options)
        self.replicas = list(replicas)
        self.max_lag = max_lag
        self._written = frozenset(column for change in changes for column in change.written())
        self._version = version
        self._seen_version = version()
        self._changed_until = 0.0
        # By statement: whether it shows a column that changes write.
        self._shows_changes: dict[Statement, bool] = {}
        self._turns = itertools.count()
        self._looks: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        await super().connect()
        for replica in self.replicas:
            await replica.database.connect()
            self._looks.append(asyncio.create_task(self._watch(replica)))

    async def disconnect(self) -> None:
        for look in self._looks:
            look.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)
        for replica in self.replicas:
            await replica.database.disconnect()
        await super().disconnect()

    async def _watch(self, replica: Replica) -> None:
        while True:
            try:
                await replica.look(self.max_lag)
            except Exception:
                replica.is_usable = False
                log.exception("the replica %s is not used", replica.place)
            await asyncio.sleep(INTERVAL)

    async def _run(self, statement: Statement, values: dict[str, Value]) -> Result:
        if replica := self._for(statement):
            # It has logged why it failed, and if it is down, the next look finds that out.
            with suppress(Unavailable):
                return await replica.database._run(statement, values)
        return await super()._run(statement, values)

    def _for(self, statement: Statement) -> Replica | None:
        """Return the replica that a statement is sent to, each in turn, None for the primary."""
        if not isinstance(statement, Query) or statement.on_primary or self._shows_change(statement):
            return None
        usable = [replica for replica in self.replicas if replica.is_usable]
        return usable[next(self._turns) % len(usable)] if usable else None

    def _shows_change(self, query: Query[Any]) -> bool:
        """Return whether a query shows what may have changed so recently that replicas do not have it."""
        shows = self._shows_changes.get(query)
        if shows is None:
            shows = self._shows_changes[query] = any(query.mentions(column) for column in self._written)
        if not shows:
            return False
        version = self._version()
        if version is None:
            return True
        now = time.monotonic()
        if version != self._seen_version:
            self._seen_version = version
            self._changed_until = now + self.max_lag + UNCERTAINTY
        return now < self._changed_until


def _greatest(rows: Sequence[ReplicaStatus]) -> int:
    """Return how far a server is behind that has these sources. Raise UnknownLag."""
    if not rows:
        raise UnknownLag("it is not a replica")
    lags = [row.lag for row in rows]
    if any(lag is None for lag in lags):
        raise UnknownLag("it does not receive or apply changes")
    return max(lag for lag in lags if lag is not None)
