"""API keys: which account has a key, and a limit on guessing."""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable

from domain.accounts import Account
from domain.errors import ErrorSpec
from storage.cache.bounded import BoundedMap
from storage.cache.cache import SingleFlight
from storage.database import catalogue
from storage.database.database import Database
from storage.key_failures import KeyFailures

TOO_MANY_KEYS = ErrorSpec(429, "Too many wrong API keys. Try again in {seconds} seconds.")

# Characters, the width of the column.
KEY_LENGTH = 36
CACHED_FOR = 5.0  # seconds
# Seconds for which `known` still identifies the account of a key after the result of its look-up has expired.
KNOWN_FOR = 60.0
# How many keys are looked up in the background at the same time.
MAX_LEARNING = 4


class APIKeys:
    """Looks up API keys. Results are cached for a few seconds, those of wrong keys too.

    The cache has digests of keys, so that no key stays in memory longer than its request, and long ones take no
    more room than others.
    """

    def __init__(
        self,
        database: Database,
        failures: KeyFailures,
        *,
        size: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Results of `size` keys are cached."""
        self._database = database
        self._failures = failures
        self._clock = clock
        # By the digest of a key: when the result expires, and the account, None if the key is wrong.
        self._cached: BoundedMap[bytes, tuple[float, Account | None]] = BoundedMap(size)
        self._learning: SingleFlight[bytes, Account | None] = SingleFlight()

    async def owner(self, key: str, address: str) -> Account | None:
        """Return the account with that key, None if the key is wrong.

        Raise APIError with status 429 after too many wrong keys, and Unavailable if the database does not answer.
        """
        digest = _digest(key)
        expiry, account = self._cached.get(digest) or (0.0, None)
        fresh = expiry > self._clock()
        if fresh and account is not None:
            return account
        place = network(address)
        if wait := await self._failures.wait(digest, place):
            raise TOO_MANY_KEYS(retry_after=wait, seconds=wait)
        if not fresh:
            account = await self._look_up(key, digest)
        # Concurrent requests may have failed meanwhile.
        if account is None and (wait := await self._failures.add(digest, place)):
            raise TOO_MANY_KEYS(retry_after=wait, seconds=wait)
        return account

    def learn(self, key: str) -> None:
        """Look the key up in the background if it was not lately, so that `known` identifies its account.

        A wrong one is no failure. While MAX_LEARNING keys are being looked up, or the database does not answer,
        the key is not learned; a later call tries again.
        """
        digest = _digest(key)
        expiry, _ = self._cached.get(digest) or (0.0, None)
        # Before `known` forgets it: a key that is used all the time is known all the time.
        if expiry <= self._clock() and len(self._learning) < MAX_LEARNING:
            self._learning.join(digest, lambda digest: self._look_up(key, digest))

    async def close(self) -> None:
        """Cancel the look-ups in the background."""
        await self._learning.close()

    def known(self, key: str) -> int | None:
        """Return the id of the account with that key if it was looked up recently, without a look-up."""
        expiry, account = self._cached.get(_digest(key)) or (0.0, None)
        return account.id if account and expiry + KNOWN_FOR > self._clock() else None

    async def _look_up(self, key: str, digest: bytes) -> Account | None:
        account = await self._read(key)
        self._cached.put(digest, (self._clock() + CACHED_FOR, account))
        return account

    async def _read(self, key: str) -> Account | None:
        if len(key) > KEY_LENGTH or not key.isascii():
            return None
        row = await self._database.one(catalogue.key_owner, key=key)
        # The usual collations ignore case and trailing spaces.
        if row is None or not hmac.compare_digest(row.api_key.encode(), key.encode()):
            return None
        return Account(row.id, row.priv)


def network(address: str) -> str:
    """Return what counts as one address: for IPv6 the /64 network, of which one client can use every address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
