"""Whether the place of the replays is there, and whether a sample of them can be read."""

from contextlib import aclosing

from checks.findings import Finding, error, ok, warning
from config.settings import Settings
from domain.errors import CannotOpen, Unavailable
from replays.binary import BadReplay
from replays.errors import NoReplay, Unreadable
from replays.store import ReplayStore, find_frames, open_store
from storage.database import catalogue
from storage.database.database import Database

SAMPLE = 20
ALL = "`main.py check-replays` lists all that are wrong"


async def run(settings: Settings, database: Database | None) -> list[Finding]:
    """The place that the settings name, and some of what is in it."""
    try:
        place = open_store(settings)
    except CannotOpen as missing:
        return [error("replays.library", "replays are kept where this installation cannot read", str(missing))]
    fault = await place.unavailable_reason()
    if fault:
        text = f"{place.name} cannot be used ({fault}): there are no replays"
        advice = "is DATA_DIRECTORY or REPLAYS_URL right, and may this service's user read it?"
        return [warning("replays.away", text, advice)]
    try:
        sample = await _sample(place)
        return await _examined(place, sample, await _known(database, sample))
    except Unavailable as reason:
        text = f"{place.name} does not answer everything: {reason.__cause__ or reason}"
        return [warning("replays.away", text, "is what keeps the replays busy, or half configured?")]


async def _sample(place: ReplayStore) -> list[int]:
    """Some of the ids that have a replay, whichever come first."""
    async with aclosing(place.ids()) as batches:
        async for ids in batches:
            if ids:
                return ids[:SAMPLE]
    return []


async def _known(database: Database | None, ids: list[int]) -> int | None:
    """How many of the ids are scores of the database; None when it cannot tell."""
    if database is None:
        return None
    known = 0
    for id in ids:
        try:
            known += await database.one(catalogue.score, id=id, visible=0) is not None
        # What is wrong with the tables has been said by then.
        except Unavailable:
            return None
    return known


async def _examined(place: ReplayStore, sample: list[int], known: int | None) -> list[Finding]:
    denied, odd = list[int](), list[int]()
    for id in sample:
        try:
            async with place.open(id) as file:
                await find_frames(file)
        except Unreadable:
            denied.append(id)
        except (NoReplay, BadReplay):
            odd.append(id)
    of = f"of {len(sample)} replays looked at"
    findings = []
    if denied:
        text = f"{len(denied)} {of} cannot be read ({denied[0]})"
        findings.append(warning("replays.unreadable", text, "give this service's user the right to read them"))
    if odd:
        findings.append(warning("replays.odd", f"{len(odd)} {of} are none ({odd[0]})", ALL))
    if sample and known == 0:
        text = f"none {of} belongs to a score of this database"
        findings.append(warning("replays.unknown", text, "are they those of this database's game server?"))
    return findings or [ok("replays.readable", f"{len(sample)} replays of {place.name} looked at can be read")]
