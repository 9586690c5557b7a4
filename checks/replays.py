"""Whether the store of the replays can be used, and whether a sample of the replays can be read."""

from contextlib import aclosing

from api.dependencies import DEGRADED, replays_state
from checks.findings import Finding, error, ok, warning
from config.settings import Settings
from domain.errors import CannotOpen, Unavailable
from replays.errors import BadReplay, NoReplay, Unreadable
from replays.store import ReplayStore, find_frames, open_store
from storage.database import catalogue
from storage.database.database import Database

SAMPLE = 20
ALL = "`main.py check-replays` lists all that are wrong"


async def run(settings: Settings, database: Database | None) -> list[Finding]:
    """Check the store that the settings name, and a sample of its replays."""
    try:
        store = open_store(settings)
    except CannotOpen as missing:
        return [error("replays.library", "replays are kept where this installation cannot read", str(missing))]
    state = await replays_state(store)
    if state.error:
        text = f"{store.name} cannot be used ({state.error}): {DEGRADED['replays']}"
        advice = "is DATA_DIRECTORY or REPLAYS_URL right, and may this service's user read it?"
        return [warning("replays.away", text, advice)]
    try:
        sample = await _sample(store)
        return await _examine(store, sample, await _count_known(database, sample))
    except Unavailable as reason:
        text = f"{store.name} does not answer everything: {reason.__cause__ or reason}"
        return [warning("replays.away", text, "is what keeps the replays busy, or half configured?")]


async def _sample(store: ReplayStore) -> list[int]:
    """Return the first ids that the store lists."""
    async with aclosing(store.ids()) as batches:
        async for ids in batches:
            if ids:
                return ids[:SAMPLE]
    return []


async def _count_known(database: Database | None, ids: list[int]) -> int | None:
    """Return how many of the ids are scores of the database, None if it does not answer."""
    if database is None:
        return None
    known = 0
    for id in ids:
        try:
            known += await database.one(catalogue.score, id=id, visible=0) is not None
        # The check of the tables says why.
        except Unavailable:
            return None
    return known


async def _examine(store: ReplayStore, sample: list[int], known: int | None) -> list[Finding]:
    unreadable, bad = list[int](), list[int]()
    for id in sample:
        try:
            async with store.open(id) as file:
                await find_frames(file)
        except Unreadable:
            unreadable.append(id)
        except (NoReplay, BadReplay):
            bad.append(id)
    of = f"of {len(sample)} replays looked at"
    findings = []
    if unreadable:
        text = f"{len(unreadable)} {of} cannot be read ({unreadable[0]})"
        findings.append(warning("replays.unreadable", text, "give this service's user the right to read them"))
    if bad:
        findings.append(warning("replays.odd", f"{len(bad)} {of} are none ({bad[0]})", ALL))
    if sample and known == 0:
        text = f"none {of} belongs to a score of this database"
        findings.append(warning("replays.unknown", text, "are they those of this database's game server?"))
    return findings or [ok("replays.readable", f"{len(sample)} replays of {store.name} looked at can be read")]
