"""Phone numbers: parsed once at the door, masked wherever they are shown."""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata

from smsgate.errors import FieldError, InvalidMessage

HOME_REGION: Final = "CN"
# E.164 allows 15 digits; written with `+`, spaces and an international prefix a number stays below this.
LONGEST_WRITTEN: Final = 32
# What the library takes for a mobile number of the mainland, as its digits are mostly written. No other kind of number
# begins with 13 to 19, so that it would find nothing else in them; a test compares.
_MOBILE: Final = PhoneMetadata.metadata_for_region(HOME_REGION).mobile.national_number_pattern  # type: ignore[union-attr]  # it is there
_PLAIN: Final = re.compile(rf"(?:\+86|0086|86)?((?=1[3-9][0-9]{{9}}$)(?:{_MOBILE}))", re.ASCII)
_EXAMPLE: Final = "13800138000 or +8613800138000"


class Phone(str):
    """A valid number in E.164 form (`+8613800138000`); its `repr` is masked."""

    __slots__ = ()

    @property
    def masked(self) -> str:
        """Show enough to recognise the number and too little to call it."""
        return mask(self)

    @property
    def is_mainland(self) -> bool:
        return self.startswith("+86")

    @property
    def national(self) -> str:
        """The number without `+` and, for the mainland, without the country code, as the provider takes it."""
        return self[3:] if self.is_mainland else self[1:]

    def __repr__(self) -> str:
        return f"Phone({self.masked!r})"


def mask(number: str) -> str:
    """Mask the middle of a number: `+8613800138000` becomes `+86138****8000`."""
    if len(number) < 8:  # noqa: PLR2004 - too short to show anything of
        return "*" * len(number)
    hidden = max(4, len(number) - 10)
    head = len(number) - hidden - 4
    return f"{number[:head]}{'*' * hidden}{number[-4:]}"


def parse(written: str) -> Phone:
    """Turn a number as people write it into a `Phone`.

    Takes the mainland's bare 11 digits, `86…`, `0086…` and `+86…`, and any other country's number with `+` or `00`.
    A mainland mobile number without spaces is told by one regular expression, the numbering plan's own: 1 µs, where
    the library takes 30 µs.

    Raises:
        InvalidMessage: It is no number, or none that exists in its country's numbering plan.
    """
    plain = _PLAIN.fullmatch(written)
    return Phone(f"+86{plain[1]}") if plain else _parsed(written)


@lru_cache(maxsize=4096)
def _parsed(written: str) -> Phone:
    if len(written) > LONGEST_WRITTEN:
        raise _refusal(f"is longer than {LONGEST_WRITTEN} characters; give one number, such as {_EXAMPLE}")
    if any(sign.isalpha() for sign in written):
        # Read as a keypad's letters they would be the number of a stranger.
        raise _refusal(f"has letters in it; write digits only, such as {_EXAMPLE}")
    try:
        number = phonenumbers.parse(_with_plus(written), HOME_REGION)
    except phonenumbers.NumberParseException:
        raise _refusal(f"is not a phone number; write it like {_EXAMPLE}") from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise _refusal(f"is not a number that exists; check the digits and the country code, as in {_EXAMPLE}")
    if phonenumbers.number_type(number) not in _REACHABLE:
        raise _refusal("is not a mobile number; SMS reach mobile numbers only")
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


# In some countries (the USA, say) mobile and fixed lines share their ranges.
_REACHABLE: Final = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE})


def _with_plus(written: str) -> str:
    """Read `86` before 11 digits, and `00`, as an international prefix, as the provider itself does."""
    digits = written.strip()
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if len(digits) == 13 and digits.startswith("861") and digits.isdigit():  # noqa: PLR2004 - 86 and 11 digits
        return f"+{digits}"
    return digits


def _refusal(message: str) -> InvalidMessage:
    return InvalidMessage([FieldError("to", message)])
