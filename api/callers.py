"""Who asks: the API key and the address of a request, and what they allow."""

from typing import Self

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from api.services import Services
from domain.accounts import Account
from domain.errors import Wording
from storage.keys import TOO_MANY_KEYS

INVALID_KEY = Wording(401, "Invalid API key.")
NO_TOKEN = Wording(400, "Must provide authorization token.")
UNKNOWN_TOKEN = Wording(401, "Unknown authorization token.")
NOT_ALLOWED = Wording(403, "Insufficient privileges.")
# What the two functions below refuse a request with; the privileges aside, which not every endpoint asks for.
WITH_KEY = (INVALID_KEY, TOO_MANY_KEYS)
SIGNED_IN = (NO_TOKEN, UNKNOWN_TOKEN, TOO_MANY_KEYS)


class Caller(msgspec.Struct, frozen=True):
    """The API key as it came, empty when none did, and the address of the client."""

    key: str
    address: str

    @classmethod
    def of(cls, scope: Scope, _: Receive) -> Self:
        """The caller of a request."""
        client = scope.get("client")
        return cls(key_in(Headers(scope=scope).get("authorization", "")), client[0] if client else "")

    def __repr__(self) -> str:
        return f"Caller({self.address})"


def key_in(header: str) -> str:
    """The API key in an Authorization header: `Bearer <key>`, or the key alone as old clients send it.

    Another scheme leaves the whole header, which is nobody's key.
    """
    header = header.strip()
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key else header


async def with_key(services: Services, caller: Caller) -> Account:
    """The account of the caller's key. Raises Refusal as clients of calculate_pp know it."""
    account = await services.keys.owner(caller.key, caller.address) if caller.key else None
    if account is None:
        raise INVALID_KEY()
    return account


async def signed_in(services: Services, caller: Caller, needed: int = 0) -> Account:
    """The account of the caller's key, when it has the privilege bits `needed`.

    Raises Refusal as the published documentation's generation of servers did.
    """
    if not caller.key:
        raise NO_TOKEN()
    account = await services.keys.owner(caller.key, caller.address)
    if account is None:
        raise UNKNOWN_TOKEN()
    if account.priv & needed != needed:
        raise NOT_ALLOWED()
    return account
