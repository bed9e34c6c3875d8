"""What is left of a call that did not end in an acceptance, and the word for it."""

import re
from typing import Final

from smsgate.outcome import Refused, Uncertain, Unsent

Failure = Unsent | Refused | Uncertain

# What a code looks like. Anything else, and anything with a run of digits that could be a number or an OTP, stays out.
_CODE: Final = re.compile(r"(?!.*\d{4})[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


def word(code: str) -> str:
    """Keep a code that is one; an answer may come from anything on the way and hold anything."""
    return code if _CODE.fullmatch(code) else "unreadable_code"
