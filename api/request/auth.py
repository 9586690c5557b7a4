"""Who asks: the API key and the address of a request, and what they allow."""

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
# What the two functions below refuse a request with; the privileges aside, which not every endpoint asks for.
AUTHENTICATE = (INVALID_KEY, TOO_MANY_KEYS)
AUTHENTICATE_LEGACY = (NO_TOKEN, UNKNOWN_TOKEN, TOO_MANY_KEYS)


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


async def authenticate(services: Services, caller: Caller) -> Account:
    """The account of the caller's key. Raises APIError as clients of calculate_pp know it."""
    account = await services.api_keys.owner(caller.key, caller.address) if caller.key else None
    if account is None:
        raise INVALID_KEY()
    return account


async def authenticate_legacy(services: Services, caller: Caller, needed: int = 0) -> Account:
    """The account of the caller's key, when it has the privilege bits `needed`.

    Raises APIError as the published documentation's generation of servers did.
    """
    if not caller.key:
        raise NO_TOKEN()
    account = await services.api_keys.owner(caller.key, caller.address)
    if account is None:
        raise UNKNOWN_TOKEN()
    if account.priv & needed != needed:
        raise NOT_ALLOWED()
    return account
