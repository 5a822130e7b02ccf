"""The body of an answer, decoded as it streams in and never longer than allowed: 200 kB of gzip can hold 200 MB."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

MOST_BYTES = 8 * 1024 * 1024
ACCEPTED_ENCODING = "gzip"


class TooLong(Exception):  # noqa: N818  not an error of its own: the transport says it in the words of the error tree
    """The body is longer than allowed."""


class Undecodable(Exception):  # noqa: N818  as above
    """The body is not what its encoding says."""


async def read(chunks: AsyncIterator[bytes], *, encoding: str, limit: int = MOST_BYTES) -> bytes:
    """The decoded body. Raises TooLong beyond the limit, Undecodable where it is cut short or otherwise encoded."""
    match encoding.strip().lower():
        case "" | "identity":
            return await _plain(chunks, limit=limit)
        case "gzip" | "x-gzip":
            return await _gzip(chunks, limit=limit)
        case _:
            raise Undecodable


async def _plain(chunks: AsyncIterator[bytes], *, limit: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise TooLong
    return bytes(body)


async def _gzip(chunks: AsyncIterator[bytes], *, limit: int) -> bytes:
    # httpx's own decoder inflates a whole chunk of the wire before anybody can count it.
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    body = bytearray()
    try:
        async for chunk in chunks:
            body += decoder.decompress(chunk, limit + 1 - len(body))
            if len(body) > limit:
                raise TooLong
    except zlib.error:
        raise Undecodable from None
    if not decoder.eof:
        raise Undecodable
    return bytes(body)
