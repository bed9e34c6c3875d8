"""What a provider's error code says about an attempt, and the outcome that follows from it."""

from enum import StrEnum, auto
from typing import assert_never

import structlog

from smsgate.channels.failure import Failure, word
from smsgate.outcome import Fault, Refused, Uncertain, Unsent

log = structlog.get_logger(__name__)


class Meaning(StrEnum):
    """What a code says about the attempt."""

    AMBIGUOUS = auto()  # the platform failed on its way: the message may have gone out
    THROTTLED = auto()  # the account or the API is called too fast
    NUMBER_LIMIT = auto()  # this number has had its share for a minute, an hour or a day, or it is night
    # The last five are refusals, and bear the names of the faults that they are.
    ACCOUNT = auto()  # money, quota, suspension
    CREDENTIALS = auto()  # key, permission, clock, source address
    CONFIGURATION = auto()  # this sign or this template
    VARIABLES = auto()  # which variables this message brings, and which of them are empty; not their values
    MESSAGE = auto()  # this message


def failure_of(code: str, meaning: Meaning | None, *, wait: float | None = None, window: float) -> Failure:
    """Turn the code of an answer into an outcome.

    `wait` is for how many seconds a throttled caller should rest, `window` for how many a number is closed.
    """
    reason = word(code)
    match meaning:
        case Meaning.AMBIGUOUS:
            return Uncertain(reason)
        case Meaning.THROTTLED:
            return Unsent(reason, Fault.THROTTLED, wait)
        case Meaning.NUMBER_LIMIT:
            return Unsent(reason, Fault.RECIPIENT, window)
        case Meaning.ACCOUNT | Meaning.CREDENTIALS | Meaning.CONFIGURATION | Meaning.VARIABLES | Meaning.MESSAGE:
            return Refused(reason, Fault(meaning.value))
        case None:
            # An error, for somebody to act on: a code that the provider has added may refuse every message from now on.
            log.error("provider_code_unknown", code=reason)
            return Refused(reason, Fault.UNKNOWN)
        case never:
            assert_never(never)
