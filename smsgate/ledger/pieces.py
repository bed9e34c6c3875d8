"""Long texts in a Redis hash, cut into pieces.

Redis keeps a hash in its compact form while no value is longer than 64 bytes (`hash-max-listpack-value`, called
`hash-max-ziplist-value` before Redis 7). Beyond that a record takes three times its size, so a text is kept in fields
`NAME0`, `NAME1`, … of at most that size.
"""

from collections.abc import Iterator, Mapping
from typing import Final

LONGEST: Final = 64


def cut(text: str) -> Iterator[str]:
    """Cut a text into pieces of at most `LONGEST` bytes in UTF-8, none within a character."""
    if text.isascii():
        yield from (text[start : start + LONGEST] for start in range(0, len(text), LONGEST))
        return
    raw, start = text.encode(), 0
    while start < len(raw):
        end = start + LONGEST
        while end < len(raw) and raw[end] & 0xC0 == 0x80:  # noqa: PLR2004 - the mark of a character's later bytes
            end -= 1
        yield raw[start:end].decode()
        start = end


def fields(name: str, text: str) -> dict[str, str]:
    """Lay a text out as fields."""
    return {f"{name}{place}": piece for place, piece in enumerate(cut(text))}


def joined(known: Mapping[str, str], name: str) -> str:
    """Read a text back; empty where there is none."""
    found: list[str] = []
    while (piece := known.get(f"{name}{len(found)}")) is not None:
        found.append(piece)
    return "".join(found)
