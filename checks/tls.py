"""Whether a browser accepts a server's certificate, and which version of HTTP they agree on."""

import asyncio
import ssl
import time
from typing import Any

from checks.findings import Finding, error, ok, warning

EXPIRES_SOON = 14  # days
CONNECT_TIMEOUT = 5.0  # seconds


async def handshake(host: str, port: int) -> tuple[ssl.SSLContext, list[Finding]]:
    """Open a TLS connection as a browser does, and return the context for further connections, and the findings.

    Raise OSError, of which ssl.SSLError and TimeoutError are kinds.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    findings = []
    try:
        connection = await _connect(host, port, context)
    except ssl.SSLCertVerificationError as refused:
        advice = "renew it, or name the right one in nginx's ssl_certificate, with its chain (fullchain.pem)"
        findings.append(error("browser.certificate", f"browsers refuse it: {refused.verify_message}", advice))
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = await _connect(host, port, context)
    else:
        findings.append(_expiry(connection.getpeercert()))
    version = "HTTP/2" if connection.selected_alpn_protocol() == "h2" else "HTTP/1.1"
    findings.append(ok("browser.http-version", f"{version} over {connection.version()}"))
    # The client of the further requests does not speak HTTP/2.
    context.set_alpn_protocols(["http/1.1"])
    return context, findings


async def _connect(host: str, port: int, context: ssl.SSLContext) -> Any:
    async with asyncio.timeout(CONNECT_TIMEOUT):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    # Closing would wait for the other side. What was agreed on is still known.
    writer.transport.abort()
    return writer.get_extra_info("ssl_object")


def _expiry(certificate: dict[str, Any]) -> Finding:
    days = int((ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // 86400)
    text = f"the certificate is good for {days} more days"
    if days < EXPIRES_SOON:
        return warning("browser.certificate", text, "renew it; does certbot's timer run?")
    return ok("browser.certificate", text)
