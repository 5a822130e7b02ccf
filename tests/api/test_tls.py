"""The machine's own trust decides whose certificate is believed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.responses import JSONResponse

from attendance_mcp.errors import Unavailable
from tests.api.conftest import Connect
from tests.api.upstream import serve
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
