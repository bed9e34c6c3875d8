"""What is left of a call that did not end in an acceptance, and the word for it."""

import re
from typing import Final, assert_never

from smsgate.outcome import Fault, Refused, Uncertain, Unsent
from smsgate.trace import NoAnswer

Failure = Unsent | Refused | Uncertain

# What a code looks like. Anything else, and anything with a run of digits that could be a number or an OTP, stays out.
_CODE: Final = re.compile(r"(?!.*\d{4})[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


def word(code: str) -> str:
    """Keep a code that is one; an answer may come from anything on the way and hold anything."""
    return code if _CODE.fullmatch(code) else "unreadable_code"


def no_answer(failure: Failure) -> NoAnswer:
    """Read what a failed call would mean for a message as what it means for a question."""
    match failure:
        case Unsent(reason, fault) | Refused(reason, fault):
            return NoAnswer(reason, fault)
        case Uncertain(reason):
            return NoAnswer(reason, Fault.PROVIDER)
        case never:
            assert_never(never)
