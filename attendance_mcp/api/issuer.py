"""Who vouches for an address's certificate, for whoever has to find out why it isn't trusted."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import anyio
from anyio.streams.tls import TLSAttribute

_SECONDS = 5.0


async def issuer_of(origin: str) -> str:
    """The name of the authority that signed the certificate of an `https://` origin; empty where it can't be had.

    The certificate is not believed and nothing is sent: the connection ends with the handshake.
    """
    parts = urlsplit(origin)
    if parts.scheme != "https" or not parts.hostname:
        return ""
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    try:
        with anyio.fail_after(_SECONDS):
            stream = await anyio.connect_tcp(
                parts.hostname, parts.port or 443, ssl_context=unchecked, tls_standard_compatible=False
            )
            async with stream:
                return _issuer(stream.extra(TLSAttribute.peer_certificate_binary))  # noqa: S610  no Django here
    except (OSError, TimeoutError, ssl.SSLError, anyio.BrokenResourceError, anyio.EndOfStream):
        return ""


def _issuer(certificate: bytes | None) -> str:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        name = x509.load_der_x509_certificate(certificate or b"").issuer
    except ValueError:  # pragma: no cover  what OpenSSL takes and this library refuses
        return ""
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(oid):
            return str(found[0].value)
    return ""
