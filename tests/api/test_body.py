"""Bodies come out as they went in, whatever their size and however they are cut on the wire."""

from __future__ import annotations

import gzip
import random
from collections.abc import AsyncIterator

import pytest

from attendance_mcp.api.body import Reader, TooLong, Undecodable, check_length

pytestmark = pytest.mark.anyio

MEBIBYTE = 1024 * 1024


async def cut(body: bytes, length: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), length):
        yield body[start : start + length]


@pytest.mark.parametrize("size", [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE])
@pytest.mark.parametrize("length", [997, 65536, 10 * MEBIBYTE])
async def test_a_packed_body_is_unpacked_whole(size: int, length: int) -> None:
    for body in (b"x" * size, random.Random(1).randbytes(size)):
        packed = gzip.compress(body, 1)
        assert await Reader().read(cut(packed, length), encoding="gzip") == body
        with pytest.raises(Undecodable):
            await Reader().read(cut(packed[:-1], length), encoding="gzip")


async def test_a_body_may_be_as_long_as_the_bound_and_no_longer() -> None:
    for encoding, whole in (("", b"x" * 100), ("gzip", gzip.compress(b"x" * 100))):
        assert await Reader().read(cut(whole, 7), encoding=encoding, limit=100) == b"x" * 100
        with pytest.raises(TooLong):
            await Reader().read(cut(whole, 7), encoding=encoding, limit=99)


@pytest.mark.parametrize("stated", ["101", "9" * 5000])
def test_a_stated_length_beyond_the_bound_is_enough(stated: str) -> None:
    with pytest.raises(TooLong):
        check_length(stated, limit=100)


@pytest.mark.parametrize("stated", ["", "100", "-5", "²", "1e9", "0x65"])
def test_a_stated_length_that_tells_nothing_is_left_to_the_reading(stated: str) -> None:
    check_length(stated, limit=100)
