r"""Half a surrogate pair, which JSON can write (`"\ud800"`) and no text can hold.

yajl, by which ijson reads, makes `?` of it, or of it and the next escape a character that nobody wrote, and tells
nobody. So each half is marked before yajl reads it, and put back into the text that comes out: then it is refused like
any other value that breaks a rule, by the name of its field.
"""

import re
from collections.abc import Callable
from typing import Any, Final

# A code point that Unicode keeps for a program's own use, and never for text that goes from one to another.
_MARK: Final = "\ufdd0"
_MARK_WRITTEN: Final = rb"\ufdd0"
_HALF: Final = "\ud800"
# Whole pairs and all other escapes are passed over, so that what stands behind a backslash's backslash is no escape.
_ESCAPE: Final = re.compile(
    rb"\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}|(\\u[Dd][89A-Fa-f][0-9A-Fa-f]{2})|\\.", re.DOTALL
)
# What may be the beginning of a half, or of a pair, at the end of a piece.
_BEGUN: Final = re.compile(
    rb"(?<!\\)(?:\\\\)*(\\(?:u[0-9A-Fa-f]{0,3}|u[Dd][89ABab][0-9A-Fa-f]{2}(?:\\(?:u[0-9A-Fa-f]{0,3})?)?)?)\Z"
)
_LONGEST_BEGUN: Final = len(rb"\ud800\udc0")


class Halves:
    """A stream of JSON in which halves are marked, and the way back."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._begun = read, b""
        self.found = False

    def read(self, size: int = -1) -> bytes:
        """Read about so many bytes; none at the end."""
        piece = self._read(size)
        whole = self._begun + piece
        self._begun = _begun(whole) if piece else b""
        whole = whole.removesuffix(self._begun)
        if piece and not whole:
            return self.read(size)
        return _ESCAPE.sub(self._marked, whole) if b"\\ud" in whole or b"\\uD" in whole else whole

    def restored(self, value: Any) -> Any:
        """Give a value as it was written, where halves were `found`."""
        return value.replace(_MARK, _HALF) if isinstance(value, str) else value

    def _marked(self, escape: re.Match[bytes]) -> bytes:
        if escape[1] is None:
            return escape[0]
        self.found = True
        return _MARK_WRITTEN


def _begun(piece: bytes) -> bytes:
    """Find what at the end of a piece may go on in the next one."""
    if b"\\" not in piece[-_LONGEST_BEGUN:]:
        return b""
    # From a place on at which no backslash stands behind another.
    tail = piece[len(piece[:-_LONGEST_BEGUN].rstrip(b"\\")) :]
    begun = _BEGUN.search(tail)
    return (begun[1] or b"") if begun else b""
