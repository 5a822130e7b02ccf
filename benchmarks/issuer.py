"""An issuer of sign-in tokens on loopback, which tells its keys as any does: for servers that are signed in to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

_KEY_NAME = "benchmarks"


@dataclass(frozen=True, slots=True)
class Issuer:
    """It gives whoever asks a token, signed with RS256 as most issuers sign."""

    address: str
    key: rsa.RSAPrivateKey

    def token(self, subject: str, *, audience: str, scope: str, **claims: Any) -> str:
        """An access token for an hour."""
        said = {"iss": self.address, "sub": subject, "aud": audience, "scope": scope, "exp": int(time.time()) + 3600}
        return jwt.encode({**said, **claims}, self.key, algorithm="RS256", headers={"kid": _KEY_NAME, "typ": "at+jwt"})


@contextmanager
def open_issuer() -> Iterator[Issuer]:
    """An issuer that answers until the end of the block."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    told = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": _KEY_NAME, "use": "sig", "alg": "RS256"}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents = {
                "/.well-known/openid-configuration": {"issuer": address, "jwks_uri": f"{address}/keys"},
                "/keys": {"keys": [told]},
            }
            found = documents.get(self.path)
            content = json.dumps(found).encode()
            self.send_response(200 if found else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Issuer(address, key)
        finally:
            server.shutdown()
            thread.join()
