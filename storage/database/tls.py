"""Encrypted connections to the database server.

Both drivers read the server's greeting, encrypt the connection if they were given an SSLContext, and then log in.
If the server does not offer encryption, aiomysql would log in without it, and asyncmy would send what such a
server does not understand. So the connections of this file look at the greeting first.
"""

import asyncio
import ssl
from ipaddress import ip_address
from typing import Any, ClassVar, NamedTuple

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


class Encrypting:
    """Makes a driver's connection not log in without the encryption that it was asked for.

    `error` is the driver's OperationalError, `flags` the attribute with the capabilities that the client declares.
    """

    error: ClassVar[type[Exception]]
    flags: ClassVar[str]
    server_capabilities: int
    _ssl_context: Context | None

    def transport(self) -> asyncio.WriteTransport | None:
        """Return the transport, None if there is none, or none any more."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection."""
        transport = self.transport()
        if transport and transport.get_extra_info("ssl_object"):
            # Its `close` would wait for the server to confirm the end of the encryption, for up to 30 s.
            transport.abort()
        super().close()  # type: ignore[misc]

    async def _request_authentication(self) -> None:
        is_offered = bool(self.server_capabilities & CLIENT.SSL)
        if self._ssl_context and not is_offered:
            if not self._ssl_context.is_optional:
                raise self.error(CR.CR_SSL_CONNECTION_ERROR, NOT_OFFERED)
            self._ssl_context = None
            setattr(self, self.flags, getattr(self, self.flags) & ~CLIENT.SSL)
        try:
            await super()._request_authentication()  # type: ignore[misc]
        except ssl.SSLError as failure:
            raise self.error(CR.CR_SSL_CONNECTION_ERROR, explain(failure)) from None
        except self.error as failure:
            if is_offered and not self._ssl_context and failure.args[:1] in ((REFUSED,), (ENCRYPTION_NEEDED,)):
                raise self.error(failure.args[0], f"{failure.args[1]} ({MAY_NEED})") from None
            raise


def explain(failure: ssl.SSLError) -> str:
    """Return why a connection could not be encrypted, without addresses."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        fault = FAULTS.get(failure.verify_code, f"is not valid: {failure.verify_message}")
        return f"the server's certificate {fault}"
    return f"the connection cannot be encrypted: {failure.reason or failure}"


class Link(NamedTuple):
    """How a connection reaches the server: `protocol` is None if it is not encrypted."""

    protocol: str | None
    is_local: bool


def link(connection: Encrypting) -> Link:
    """Return how an open connection reaches the server."""
    transport = connection.transport()
    assert transport is not None
    encrypted = transport.get_extra_info("ssl_object")
    own, server = (transport.get_extra_info(name) for name in ("sockname", "peername"))
    return Link(encrypted and encrypted.version(), is_local(own, server))


def is_local(own: Any, server: Any) -> bool:
    """Return whether a server is on this machine, from both addresses of a connection as asyncio reports them."""
    # The addresses of a unix socket are no tuples.
    return not isinstance(server, tuple) or own[0] == server[0] or ip_address(server[0]).is_loopback
