"""Encrypted connections to the database server.

Both drivers read the server's greeting, encrypt the connection if they were given an SSLContext, and then log in.
If the server does not offer encryption, aiomysql would log in without it, and asyncmy would send what such a
server does not understand. So the connections of this file look at the greeting first.
"""

import asyncio
import ssl
from typing import Any, NamedTuple

from pymysql.constants import CLIENT, CR

from config.types import Encryption

# Numbers of errors with which a server asks for an encrypted connection. For a user who must use one, and for all
# users on MariaDB before 11.4, it is the number of a wrong password.
REFUSED, ENCRYPTION_NEEDED = 1045, 3159
MAY_NEED = "this connection was not encrypted, and the server may require that: DB_SSL=required or verify"
NOT_OFFERED = "the server does not offer encrypted connections, which DB_SSL asks for"
# Why a certificate was not accepted, by OpenSSL's number.
NOT_YET_VALID, EXPIRED = 9, 10
SELF_SIGNED, SELF_SIGNED_AUTHORITY, NO_ISSUER, NO_ISSUER_FOR_FIRST = 18, 19, 20, 21
OTHER_HOST, OTHER_ADDRESS = 62, 64
UNKNOWN = "is not signed by an authority that DB_SSL_CA names, or that this machine trusts"
FAULTS = {
    NOT_YET_VALID: "is not valid yet",
    EXPIRED: "has expired",
    **dict.fromkeys((SELF_SIGNED, SELF_SIGNED_AUTHORITY, NO_ISSUER, NO_ISSUER_FOR_FIRST), UNKNOWN),
    **dict.fromkeys((OTHER_HOST, OTHER_ADDRESS), "is for another host name"),
}


class Context(ssl.SSLContext):
    """`is_optional`: a server that does not offer encryption is used without."""

    is_optional = False


def context(encryption: Encryption, authorities: str) -> Context | None:
    """Return how connections are encrypted, None if they are not. `authorities` is a PEM file; "": this machine's.

    Raise OSError if the file cannot be read.
    """
    if encryption == "off":
        return None
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    if encryption != "verify":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.is_optional = encryption == "preferred"
    elif authorities:
        context.load_verify_locations(authorities)
    else:
        context.load_default_certs()
    return context


class Link(NamedTuple):
    """How a connection reaches the server: `protocol` is None if it is not encrypted."""

    protocol: str | None
    is_local: bool


def link(transport: asyncio.WriteTransport) -> Link:
    """Return how a connection with this transport reaches the server."""
    encrypted = transport.get_extra_info("ssl_object")
    own, server = (transport.get_extra_info(name) for name in ("sockname", "peername"))
    # The addresses of a unix socket are no tuples.
    return Link(encrypted and encrypted.version(), not isinstance(server, tuple) or own[0] == server[0])


def connection_class(of_driver: type[Any], error: type[Exception], flags: str) -> type[Any]:
    """Return a subclass of a driver's connection that does not log in without the encryption it was asked for.

    `error` is the driver's OperationalError, `flags` the attribute with the capabilities that the client declares.
    """

    class Connection(of_driver):  # type: ignore[misc]
        _ssl_context: Context | None

        async def _request_authentication(self) -> None:
            is_offered = bool(self.server_capabilities & CLIENT.SSL)
            if self._ssl_context and not is_offered:
                if not self._ssl_context.is_optional:
                    raise error(CR.CR_SSL_CONNECTION_ERROR, NOT_OFFERED)
                self._ssl_context = None
                setattr(self, flags, getattr(self, flags) & ~CLIENT.SSL)
            try:
                await super()._request_authentication()
            except ssl.SSLError as failure:
                raise error(CR.CR_SSL_CONNECTION_ERROR, explain(failure)) from None
            except error as failure:
                number, text = failure.args
                if is_offered and not self._ssl_context and number in (REFUSED, ENCRYPTION_NEEDED):
                    raise error(number, f"{text} ({MAY_NEED})") from None
                raise

    return Connection


def explain(failure: ssl.SSLError) -> str:
    """Return why a connection could not be encrypted, without addresses."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        fault = FAULTS.get(failure.verify_code, f"is not valid: {failure.verify_message}")
        return f"the server's certificate {fault}"
    return f"the connection cannot be encrypted: {failure.reason or failure}"
