"""The machine's own trust decides whose certificate is believed."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from attendance_mcp.errors import Unavailable
from tests.api.conftest import Connect
from tests.api.upstream import serve

pytest.importorskip("cryptography")
pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody has vouched for, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Harbour School's own authority")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder


@pytest.fixture(scope="module")
def address(certificate: Path) -> Iterator[str]:
    app = JSONResponse({"school": {"name": "Harbour School"}})
    with serve(app, ssl_certfile=certificate / "cert.pem", ssl_keyfile=certificate / "key.pem") as port:
        yield f"https://127.0.0.1:{port}"


async def test_a_certificate_that_the_machine_does_not_trust_is_refused(address: str, connect: Connect) -> None:
    with pytest.raises(Unavailable, match=r"certificate .* not trusted") as caught:
        await connect(address).delete_excusal(7, 9)
    assert not caught.value.maybe_sent


async def test_a_certificate_authority_that_the_machine_trusts_is_believed(
    address: str, certificate: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    assert (await connect(address).get_school()).name == "Harbour School"
