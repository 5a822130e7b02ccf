"""A way to the school that answers everything badly until it is mended: raw sockets, so that it can say anything."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal, get_args

import httpx

from tests.upstream_school import TOKEN

Fault = Literal[
    "refused",
    "reset at once",
    "reset in the body",
    "silent",
    "one byte at a time",
    "500 with HTML",
    "200 with HTML",
    "truncated JSON",
    "JSON of another shape",
    "an object of other keys",
    "null",
    "50 MB",
    "50 MB of unstated length",
    "gzip of 500 MB",
    "redirect to another host",
    "redirect to itself",
    "another content type",
    "invalid UTF-8",
    "NaN",
    "nested 10,000 deep",
    "certificate of an unknown authority",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
# A tenth of what is shipped, with which nothing may take longer than 30 s.
TENTH = {"connect_timeout": 0.3, "read_timeout": 1.0, "deadline": 2.5}
LONGEST = 5.0  # twice the deadline, since the machine may be busy
SECRET = "secret-of-the-body"
_HTML = f"<html><h1>{SECRET}</h1></html>".encode()
_MEGABYTE = 1024 * 1024
_DROP_SECONDS = 0.1
_DEEP = 10_000
# What the schools answered: none of them is changed here, and asking once is enough for all faults.
_TRUE: dict[tuple[str, str, str], tuple[str, bytes]] = {}


class HostileSchool:
    """Answers as the school at `upstream` does, or by its fault; `bad` says which paths meet it, all unless told.

    `asked` holds the path of every request.
    """

    def __init__(self, upstream: str, fault: Fault | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.fault = fault
        self.bad: Callable[[str], bool] = lambda _: True
        self.asked: list[str] = []
        self._upstream = upstream
        self._tls = tls
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._serving: asyncio.Server | None = None

    @contextmanager
    def open(self) -> Iterator[HostileSchool]:
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            if self.fault != "refused":  # a port that is bound and not listened on refuses
                self._run(self._listen())
            yield self
        finally:
            self._run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()
            self._socket.close()

    def mend(self, *, tls: ssl.SSLContext | None = None) -> None:
        """From here on the school answers, with this certificate where it has one."""
        if self.fault == "refused" or tls:
            self._run(self._listen_anew(tls))
        self.fault = None

    def _run(self, job: Awaitable[None]) -> None:
        async def awaited() -> None:
            await job

        asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(10)

    async def _listen(self) -> None:
        self._onward = httpx.AsyncClient(base_url=self._upstream, trust_env=False, verify=False)
        self._serving = await asyncio.start_server(self._serve, sock=self._socket, ssl=self._tls, backlog=500)

    async def _listen_anew(self, tls: ssl.SSLContext | None) -> None:
        if self._serving is not None:
            address = self._socket.getsockname()
            self._serving.close()
            self._socket = socket.socket()
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
        self._tls = tls
        await self._listen()

    async def _close(self) -> None:
        if self._serving is not None:
            self._serving.close()
            await self._onward.aclose()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    # --- one connection ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, asyncio.CancelledError):
            if self.fault == "reset at once":
                return _reset(writer)
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path = head.split(" ")[:2]
                self.asked.append(path)
                if self.fault and self.bad(path):
                    await self._answer_badly(self.fault, await self._true_answer(method, path), path, writer, reader)
                else:
                    status, body = await self._true(method, path)
                    await _say(writer, body, status=status)
        with suppress(OSError):
            writer.close()
        return None

    async def _true_answer(self, method: str, path: str) -> bytes:
        return (await self._true(method, path))[1]

    async def _true(self, method: str, path: str) -> tuple[str, bytes]:
        key = (self._upstream, method, path)
        if key not in _TRUE:
            answer = await self._onward.request(method, path, headers={"auth-token": TOKEN})
            _TRUE[key] = f"{answer.status_code} {answer.reason_phrase}", answer.content
        return _TRUE[key]

    async def _answer_badly(
        self, fault: Fault, body: bytes, path: str, writer: asyncio.StreamWriter, reader: asyncio.StreamReader
    ) -> None:
        match fault:
            case "reset in the body":
                await _say(writer, body[: len(body) // 2], length=len(body))
                _reset(writer)
            case "silent":
                await reader.read()  # until the other side has given up
            case "one byte at a time":
                await _say(writer, b"", length=len(body))
                for byte in body:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(_DROP_SECONDS)
            case "500 with HTML":
                await _say(writer, _HTML, status="500 Internal Server Error", kind="text/html")
            case "200 with HTML":
                await _say(writer, _HTML, kind="text/html; charset=utf-8")
            case "50 MB" | "50 MB of unstated length":
                await _say(writer, b'{"students":[', length=50 * _MEGABYTE if fault == "50 MB" else -1)
                row = b'{"id":1,"first_name":"%s"},' % SECRET.encode()
                chunk = row * (_MEGABYTE // len(row))
                for _ in range(50):
                    writer.write(chunk)
                    await writer.drain()
                raise EOFError
            case "gzip of 500 MB":
                await _say(writer, _BOMB, headers="content-encoding: gzip\r\n")
            case "redirect to another host":
                elsewhere = self.url.replace("127.0.0.1", "localhost")
                await _say(writer, b"", status="302 Found", headers=f"location: {elsewhere}/{SECRET}\r\n")
            case "redirect to itself":
                await _say(writer, b"", status="307 Temporary Redirect", headers=f"location: {path}\r\n")
            case "another content type":
                await _say(writer, body, kind="text/plain")
            case _:
                await _say(writer, _distorted(fault, body))


def _distorted(fault: Fault, body: bytes) -> bytes:
    match fault:
        case "truncated JSON":
            return body[: len(body) // 2]
        case "JSON of another shape":
            return b'[{"first_name":"%s"}]' % SECRET.encode()
        case "an object of other keys":
            return b'{"first_name":"%s"}' % SECRET.encode()
        case "null":
            return b"null"
        case "invalid UTF-8":
            return body.replace(b'":"', b'":"\xff\xfe', 1) if b'":"' in body else b'{"a":"\xff\xfe"}'
        case "NaN":
            return re.sub(rb"([:\[,])-?\d+(\.\d+)?(?=[,}\]])", rb"\1NaN", body)
        case "nested 10,000 deep":
            return body[:-1] + b',"extra":' + b"[" * _DEEP + b"]" * _DEEP + b"}"
        case _:
            raise AssertionError(fault)


def _bomb() -> bytes:
    """500 MB of spaces in half a megabyte; its checksum is wrong, which nobody gets to see."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    first = packer.compress(b"{" + b" " * (_MEGABYTE - 1)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b" " * _MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * 499 + packer.flush()


_BOMB = _bomb()


async def _say(
    writer: asyncio.StreamWriter,
    body: bytes,
    *,
    status: str = "200 OK",
    kind: str = "application/json",
    headers: str = "",
    length: int | None = None,
) -> None:
    if length != -1:  # else the answer ends with the connection
        headers += f"content-length: {len(body) if length is None else length}\r\n"
    writer.write(f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{headers}\r\n".encode())
    writer.write(body)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Breaks the connection off rather than ending it."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
