"""The way of one request to the school's server: with the person's token, and back with an answer in any case.

Whatever goes wrong becomes an answer of the protocol, since the SDK's transport would end the whole connection at it. A
call of a tool gets a result that is an error, which the assistant reads; other requests get an error of the protocol.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2
from mcp.shared.inbound import MCP_METHOD_HEADER

from attendance_mcp.connect.sign_in import SignIn
from attendance_mcp.connect.web import Astray, open_web
from attendance_mcp.errors import AttendanceError, NotAllowed, Unavailable

_LONGEST = 150.0  # seconds until an answer begins: a plan may be asked about and then carried out
_MOST_BYTES = 16 * 2**20
_FAILED = -32000  # JSON-RPC leaves this code to the server
_AWAY = "The school's server does not answer. Nothing was written."
_BROKEN = (
    "The school's server broke off before it answered. If this was a write, it may have been carried out all the same: "
    "list_changes tells."
)
_ELSEWHERE = "The school's server sends its clients to another address: connect needs that one. Nothing was written."
_STATUSES = {
    401: "The school's server does not take this sign-in. Nothing was written.",
    403: "Your sign-in does not allow this: it was not given the scope for it. Nothing was written.",
    404: "There is no such server at this address. Nothing was written.",
    413: "The school's server takes no request that large. Nothing was written.",
    421: "The school's server does not go by this name. Nothing was written.",
    429: "The school's server was asked too often. Wait a moment. Nothing was written.",
    503: "The school's server, or its sign-in service, can't be used at the moment. Nothing was written.",
}


class Way(httpx2.AsyncBaseTransport):
    """To one server."""

    def __init__(self, server: str, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._web = open_web(server, seconds=_LONGEST)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._answer(request)
        except AttendanceError as error:
            return _failed(request, str(error))

    async def aclose(self) -> None:
        await self._web.aclose()

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        token = await self._sign_in.token()
        answer = await self._send(request, token)
        if answer.status_code == 401:
            await answer.aclose()
            token = await self._sign_in.token(instead_of=token or "")
            answer = await self._send(request, token)
        if answer.is_success and "json" not in answer.headers.get("content-type", ""):
            return answer  # a stream, whose events are passed on as they come
        content = await _whole(answer)
        if answer.has_redirect_location:
            raise Unavailable(_ELSEWHERE)
        if not answer.is_success and not _of_the_protocol(content):
            raise Unavailable(_STATUSES.get(answer.status_code, _BROKEN))
        kind = {"content-type": answer.headers.get("content-type", "")}
        return httpx2.Response(answer.status_code, headers=kind, content=content, request=request)

    async def _send(self, request: httpx2.Request, token: str | None) -> httpx2.Response:
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"authorization"]
        if token is not None:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        own = self._web.build_request(request.method, request.url, headers=headers, content=request.content)
        try:
            return await self._web.send(own, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise Unavailable(_AWAY) from None
        except httpx2.HTTPError:
            raise Unavailable(_BROKEN) from None
        except Astray:
            raise NotAllowed("This address can't be reached safely. Nothing was written.") from None


async def _whole(answer: httpx2.Response) -> bytes:
    content = bytearray()
    try:
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > _MOST_BYTES:
                raise Unavailable(_BROKEN)
    except httpx2.HTTPError:
        raise Unavailable(_BROKEN) from None
    finally:
        await answer.aclose()
    return bytes(content)


def _of_the_protocol(content: bytes) -> bool:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "jsonrpc" in found


def _failed(request: httpx2.Request, said: str) -> httpx2.Response:
    try:
        asked: Any = json.loads(request.content)
    except (ValueError, httpx2.RequestNotRead):
        asked = {}
    if asked.get("method") == "tools/call":
        # The newest era says of a result that it is the last one; older ones know no such word.
        last = {"resultType": "complete"} if MCP_METHOD_HEADER in request.headers else {}
        result = {**last, "content": [{"type": "text", "text": said}], "isError": True}
        return httpx2.Response(200, json={"jsonrpc": "2.0", "id": asked.get("id"), "result": result}, request=request)
    error = {"code": _FAILED, "message": said}
    return httpx2.Response(503, json={"jsonrpc": "2.0", "id": asked.get("id"), "error": error}, request=request)
