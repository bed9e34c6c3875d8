"""Which days the provider has to be asked about, and which it no longer knows; a day is Shanghai's."""

from datetime import date, datetime, timedelta
from typing import Final

from smsgate.channels.channel import Inquiry
from smsgate.channels.fields import SHANGHAI

# Today and the 29 days before it: of a day beyond the provider's 30 it may well say that there was nothing.
DAYS_KEPT: Final = 30
# The provider takes no request whose date is more than 15 minutes off, so its clock cannot be further from ours;
# and an attempt is stamped when it is taken in, which a slow call puts some minutes after its start at the most.
CLOCKS_APART: Final = timedelta(minutes=15)
LONGEST_CALL: Final = timedelta(minutes=5)


def days_of(inquiry: Inquiry) -> list[date]:
    """Name every day of Shanghai on which the provider may have put an attempt: two of them near midnight."""
    first, last = sorted((inquiry.since, inquiry.until))
    begin = (_moment(first) - CLOCKS_APART).date()
    end = (_moment(last) + LONGEST_CALL + CLOCKS_APART).date()
    return [begin + timedelta(days=n) for n in range((end - begin).days + 1)]


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, SHANGHAI)


def is_too_old(day: date, *, now: float) -> bool:
    """Say whether a day is no longer among those that can be asked about; `now` is Unix seconds."""
    return day <= datetime.fromtimestamp(now, SHANGHAI).date() - timedelta(days=DAYS_KEPT)
