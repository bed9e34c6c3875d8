"""Phone numbers in the forms that the provider takes."""

import re
from dataclasses import dataclass
from typing import Final

_MAINLAND: Final = re.compile(r"(?:\+|\+86|0086|86)?(1[3-9][0-9]{9})")
_ABROAD: Final = re.compile(r"(?:\+|00)?((?!86)[1-9][0-9]{5,14})")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as the provider keeps it: the mainland's bare 11 digits, or country code and number."""

    digits: str
    mainland: bool


def read(written: str) -> Number | None:
    """Read a number in any written form, or None where the provider would refuse it."""
    if found := _MAINLAND.fullmatch(written):
        return Number(found[1], mainland=True)
    if found := _ABROAD.fullmatch(written):
        return Number(found[1], mainland=False)
    return None


def digits(written: str) -> str:
    """Bring a number to the form it is kept in; what is no number stays as it is."""
    number = read(written)
    return number.digits if number else written
