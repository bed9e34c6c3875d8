"""The body of a request, which must come in to its end.

The server hands over what came, and says the same at the end of a body and at the end of a connection: half a body must
not be taken for a whole one, nor half a row.
"""

import time
from typing import IO, Final

from smsgate.errors import FieldError, InvalidMessage

# Bytes that are read at once: a stream gives none before there are so many, so they are few where they come slowly,
# lest rows that are there wait for others, and many where they come fast.
_FEWEST: Final = 512
_MOST: Final = 64 * 1024
# Seconds within which a piece comes where they come fast.
_QUICKLY: Final = 0.05


class Body:
    """A stream of bytes. With `length` it must have so many; `of_lines`, and without, its last line must be whole."""

    def __init__(self, stream: IO[bytes], length: int | None, *, of_lines: bool) -> None:
        self._stream, self._length, self._of_lines = stream, length, of_lines
        self._count, self._last = 0, b"\n"
        self._most = _FEWEST

    def read(self, size: int) -> bytes:
        """Read up to so many bytes; none at the end.

        Raises:
            InvalidMessage: It ends too early.
        """
        if self._length is not None:
            size = min(size, self._length - self._count)
        piece = self._piece(min(size, self._most)) if size else b""
        if piece:
            self._count += len(piece)
            self._last = piece[-1:]
        elif size:
            self._insist_on_the_end()
        return piece

    def _piece(self, size: int) -> bytes:
        began = time.monotonic()
        piece = self._stream.read(size)
        came_quickly = time.monotonic() - began < _QUICKLY
        self._most = min(2 * self._most, _MOST) if came_quickly else _FEWEST
        return piece

    def _insist_on_the_end(self) -> None:
        if self._length is not None and self._count < self._length:
            raise _broken(f"ended after {self._count:,} of {self._length:,} bytes")
        if self._length is None and self._of_lines and self._last != b"\n":
            raise _broken("ended within a line; without Content-Length the last line must end with a newline too")


def _broken(what: str) -> InvalidMessage:
    return InvalidMessage([FieldError("body", what)])
