"""The machine's own trust decides whose certificate is believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.responses import JSONResponse

from attendance_mcp.api.issuer import issuer_of
from attendance_mcp.errors import Unavailable
from tests.api.conftest import Connect
from tests.api.upstream import Upstream, raw_server, serve
from tests.certificates import Certificates

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def address(certificates: Certificates) -> Iterator[str]:
    app = JSONResponse({"school": {"name": "Harbour School"}})
    with serve(app, ssl_certfile=certificates.server, ssl_keyfile=certificates.key) as port:
        yield f"https://127.0.0.1:{port}"


async def test_a_certificate_that_the_machine_does_not_trust_is_refused(address: str, connect: Connect) -> None:
    with pytest.raises(Unavailable, match=r"certificate .* not trusted") as caught:
        await connect(address).delete_excusal(7, 9)
    assert not caught.value.maybe_sent
    assert "Try again" not in str(caught.value)  # it would end the same


async def test_a_certificate_authority_that_the_machine_trusts_is_believed(
    address: str, certificates: Certificates, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    assert (await connect(address).get_school()).name == "Harbour School"


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ([(NameOID.ORGANIZATION_NAME, "A filter of the network")], "A filter of the network"),
        ([(NameOID.COUNTRY_NAME, "SG")], ""),
    ],
)
async def test_who_signed_a_certificate_is_told_by_its_name_or_its_organisation(
    named: list[tuple[x509.ObjectIdentifier, str]], told: str, tmp_path: Path
) -> None:
    made = Certificates.made_in(tmp_path, authority=x509.Name([x509.NameAttribute(*one) for one in named]))
    with serve(JSONResponse({}), ssl_certfile=made.server, ssl_keyfile=made.key) as port:
        assert await issuer_of(f"https://127.0.0.1:{port}") == told


async def test_where_no_certificate_can_be_had_nobody_is_named(upstream: Upstream) -> None:
    with raw_server(lambda connection: None) as port:
        assert await issuer_of(f"https://127.0.0.1:{port}") == ""
    assert await issuer_of(upstream.url) == ""
    assert upstream.seen == []
