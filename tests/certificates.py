"""Certificates of invented authorities, for servers on this machine."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Certificates:
    """An authority's own certificate, and one that it made for 127.0.0.1, with its key."""

    authority: Path
    server: Path
    key: Path

    @classmethod
    def made_in(cls, folder: Path, *, authority: str | x509.Name) -> Certificates:
        own = ec.generate_private_key(ec.SECP256R1())
        own_name = _named(authority) if isinstance(authority, str) else authority
        root = _signed(own_name, own, by=own_name, key=own, extension=x509.BasicConstraints(ca=True, path_length=0))
        host = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        server = _signed(_named("Harbour School"), host, by=own_name, key=own, extension=address)
        made = cls(folder / "authority.pem", folder / "server.pem", folder / "key.pem")
        made.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        made.server.write_bytes(server.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            host.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return made

    def context(self) -> ssl.SSLContext:
        """What a server needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server, self.key)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _signed(
    name: x509.Name,
    own: ec.EllipticCurvePrivateKey,
    *,
    by: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(by).public_key(own.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - _DAY).not_valid_after(now + _DAY)
    return made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints)).sign(
        key, hashes.SHA256()
    )
