"""Why a message did not arrive, in our words, and the raw codes of carriers that every provider hands through.

Sources: the tables of vendors (mysubmail.com/documents/1XQAE4, feige.cn/dev/dev8.html), which agree on those below.
"""

from enum import StrEnum, auto
from typing import Final


class Reason(StrEnum):
    """Why a message did not arrive; stable words that clients may build on."""

    NOT_IN_SERVICE = auto()  # switched off, suspended, unassigned
    INVALID_NUMBER = auto()
    BLACKLISTED = auto()  # by the carrier or, after a complaint, by the provider
    RECIPIENT_REFUSED = auto()  # opted out
    RECIPIENT_LIMIT = auto()  # the number has had its share
    HANDSET = auto()  # the phone or its SIM: full, broken
    EXPIRED = auto()  # the carrier gave up trying
    CONTENT = auto()  # keywords, a missing opt-out text
    NO_ROUTE = auto()
    CHANNEL_CLOSED = auto()  # the provider's channel, for the moment
    CONFIG = auto()  # sign, template, filing, account
    UNKNOWN = auto()


# Raw codes that carriers put through. REJECTD is not here: to one carrier it means keywords, to another a dead number.
CARRIERS: Final[tuple[tuple[str, Reason], ...]] = (
    ("MK:", Reason.NOT_IN_SERVICE),
    ("MN:", Reason.NOT_IN_SERVICE),
    ("MI:", Reason.NOT_IN_SERVICE),
    ("UNDELIV", Reason.NOT_IN_SERVICE),
    ("EXPIRED", Reason.EXPIRED),
    ("BLACK", Reason.BLACKLISTED),
    ("NOROUTE", Reason.NO_ROUTE),
    ("KEYWORD", Reason.CONTENT),
)


def of_carrier(code: str) -> Reason | None:
    """Give our reason for a carrier's raw code; None where the table has none."""
    return next((reason for prefix, reason in CARRIERS if code.startswith(prefix)), None)
