"""The body of an answer, decoded as it streams in and never longer than allowed: 200 kB of gzip can hold 200 MB."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import anyio

MOST_BYTES = 8 * 1024 * 1024
ACCEPTED_ENCODING = "gzip"
_SMALL = 1024 * 1024


class TooLong(Exception):  # noqa: N818  not an error of its own: the transport says it in the words of the error tree
    """The body is longer than allowed."""


class Undecodable(Exception):  # noqa: N818  as above
    """The body is not what its encoding says."""


def check_length(stated: str, *, limit: int = MOST_BYTES) -> None:
    """Raises TooLong where the answer says so itself, before any of it is read."""
    if stated.isascii() and stated.isdigit() and int(stated[:20]) > limit:
        raise TooLong


class Reader:
    """Reads the bodies of one transport, of those beyond a mebibyte one at a time.

    Eight that never end, which is what may be in flight, would else be eight times the most that an answer may take.
    """

    def __init__(self) -> None:
        self._alone = anyio.Lock()

    async def read(self, chunks: AsyncIterator[bytes], *, encoding: str, limit: int = MOST_BYTES) -> bytes:
        """The decoded body. Raises TooLong beyond the limit, Undecodable where it is cut short or otherwise encoded."""
        decoder = _decoder(encoding)
        body = bytearray()
        try:
            async with AsyncExitStack() as turn:
                small = True
                async for chunk in chunks:
                    for part in decoder.parts(chunk):
                        body += part
                        if len(body) > limit:
                            raise TooLong
                        if small and len(body) > _SMALL:
                            small = False
                            await turn.enter_async_context(self._alone)
                if not decoder.ended:
                    raise Undecodable
                return bytes(body)
        finally:
            body.clear()  # an error that is kept keeps this frame with it


def _decoder(encoding: str) -> _Plain | _Gzip:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gzip()
        case _:
            raise Undecodable


class _Plain:
    ended = True

    def parts(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Gzip:
    """httpx's own decoder inflates a whole chunk of the wire before anybody can count it."""

    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def ended(self) -> bool:
        return self._inflating.eof

    def parts(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while part := self._inflating.decompress(chunk, _SMALL):
                yield part
                chunk = self._inflating.unconsumed_tail
        except zlib.error:
            raise Undecodable from None
