"""Authentication by API key."""

from typing import Self

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from api.services import Services
from domain.accounts import Account
from domain.errors import ErrorSpec
from storage.api_keys import TOO_MANY_KEYS

INVALID_KEY = ErrorSpec(401, "Invalid API key.")
NO_TOKEN = ErrorSpec(400, "Must provide authorization token.")
UNKNOWN_TOKEN = ErrorSpec(401, "Unknown authorization token.")
NOT_ALLOWED = ErrorSpec(403, "Insufficient privileges.")
# What the two functions below raise, without NOT_ALLOWED: not every endpoint requires privileges.
AUTH_ERRORS = (INVALID_KEY, TOO_MANY_KEYS)
LEGACY_AUTH_ERRORS = (NO_TOKEN, UNKNOWN_TOKEN, TOO_MANY_KEYS)


class Caller(msgspec.Struct, frozen=True):
    """Who sends a request: the API key (empty if there is none) and the client's address."""

    key: str
    address: str

    @classmethod
    def of(cls, scope: Scope, _: Receive) -> Self:
        """Return the caller of a request."""
        client = scope.get("client")
        return cls(key_in(Headers(scope=scope).get("authorization", "")), client[0] if client else "")

    def __repr__(self) -> str:
        return f"Caller({self.address})"


def key_in(header: str) -> str:
    """Return the API key in an Authorization header: `Bearer <key>`, or the key alone as old clients send it.

    With another scheme the whole header is returned, which is nobody's key.
    """
    header = header.strip()
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key else header


async def authenticate(services: Services, caller: Caller) -> Account:
    """Return the account that owns the caller's key.

    Raise APIError with the 401 of today's game server if nobody owns it, or a 429 after too many wrong keys.
    """
    account = await services.api_keys.owner(caller.key, caller.address) if caller.key else None
    if account is None:
        raise INVALID_KEY()
    return account


async def authenticate_legacy(services: Services, caller: Caller, privileges: int = 0) -> Account:
    """Return the account that owns the caller's key, which must have all the bits of `privileges`.

    Raise APIError with the statuses and texts of the game servers of 2021, for the endpoints that only they had.
    """
    if not caller.key:
        raise NO_TOKEN()
    account = await services.api_keys.owner(caller.key, caller.address)
    if account is None:
        raise UNKNOWN_TOKEN()
    if account.priv & privileges != privileges:
        raise NOT_ALLOWED()
    return account
