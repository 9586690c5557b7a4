"""API keys: whose one is, and no end of guesses."""

import hashlib
import hmac
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from domain.accounts import Account
from domain.errors import ErrorSpec
from storage.database import catalogue
from storage.database.database import Database

TOO_MANY_KEYS = ErrorSpec(429, "Too many wrong API keys. Try again in {seconds} seconds.")

# Width of the column.
LONGEST = 36
# For how many seconds after a look-up a right key is good enough to be told apart from others.
KNOWN = 60.0


class APIKeys:
    """Looks API keys up, and keeps what was found for a few seconds, wrong keys too.

    Keys are kept as digests, so that none is in memory longer than its request, and long ones take no more room.
    """

    def __init__(
        self,
        database: Database,
        *,
        failures: int,
        seconds: float = 5.0,
        size: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`failures`: wrong keys an address may try in a minute, and uses of one wrong key in a minute."""
        self._database = database
        self._failures = FailureCounter(failures, clock=clock)
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, Account | None]] = OrderedDict()

    async def owner(self, key: str, address: str) -> Account | None:
        """The account with that key, None for a wrong one.

        Raises APIError with 429 after too many wrong ones, and Unavailable without the database.
        """
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        until, account = self._kept.get(digest, (0.0, None))
        fresh = until > self._clock()
        if fresh and account is not None:
            return account
        wait = max(self._failures.wait(digest), self._failures.wait(network(address)))
        if wait:
            raise TOO_MANY_KEYS(retry_after=wait, seconds=wait)
        if not fresh:
            account = await self._look_up(key)
            self._keep(digest, account)
        if account is None and self._failures.add(digest) == 1:
            # A program with an outdated key must not lock out everybody else at its address.
            self._failures.add(network(address))
        return account

    def known(self, key: str) -> int | None:
        """The id of the account with that key, as far as it was looked up lately; this asks nobody."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        until, account = self._kept.get(digest, (0.0, None))
        return account.id if account and until + KNOWN > self._clock() else None

    async def _look_up(self, key: str) -> Account | None:
        if len(key) > LONGEST or not key.isascii():
            return None
        row = await self._database.one(catalogue.key_owner, key=key)
        # SQL takes A for a under the usual collations, and overlooks spaces at the end.
        if row is None or not hmac.compare_digest(row.api_key.encode(), key.encode()):
            return None
        return Account(row.id, row.priv)

    def _keep(self, digest: bytes, account: Account | None) -> None:
        self._kept.pop(digest, None)
        self._kept[digest] = self._clock() + self._seconds, account
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)


class FailureCounter:
    """How often each subject failed within a minute; of more subjects than `size` the oldest are forgotten."""

    def __init__(
        self,
        most: int,
        *,
        seconds: float = 60.0,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._size = size
        self._clock = clock
        # subject -> [end of its minute, failures in it]
        self._counts: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def wait(self, subject: Hashable) -> int:
        """How many seconds the subject has to wait; 0 when it need not."""
        end, count = self._counts.get(subject, (0.0, 0))
        left = end - self._clock()
        return math.ceil(left) if count >= self._most and left > 0 else 0

    def add(self, subject: Hashable) -> int:
        """Count one more failure; how many there are now in the subject's minute."""
        now = self._clock()
        end, count = self._counts.pop(subject, (0.0, 0))
        if end <= now:
            end, count = now + self._seconds, 0
        self._counts[subject] = end, count + 1
        if len(self._counts) > self._size:
            self._counts.popitem(last=False)
        return count + 1


def network(address: str) -> str:
    """What counts as one address: an IPv6 client has a whole /64 of them to choose from."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
