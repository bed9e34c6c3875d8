"""Numbers as they come in a query string."""

from typing import Final

# No number that means anything here has more digits, and Python refuses to read one of thousands.
_MOST_DIGITS: Final = 9


def is_number(written: str) -> bool:
    """Say whether a text can be read by `int`."""
    return written.isascii() and written.isdecimal() and len(written) <= _MOST_DIGITS
