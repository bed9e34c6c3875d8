"""Can a time to send be meant?"""

from smsgate.errors import FieldError, InvalidMessage
from smsgate.message import LATEST_SCHEDULE, LONGEST_SCHEDULE


def insist_on_a_near_send_at(at: int, now: int) -> None:
    """Refuse a time to send that nobody can mean (Unix milliseconds; 0 for none).

    Raises:
        InvalidMessage: It lies in the past, or more than 30 days ahead.
    """
    if at > now + LONGEST_SCHEDULE * 1000:
        raise _wrong_time(f"must be at most {LONGEST_SCHEDULE // 86_400} days ahead")
    if at and at < now - LATEST_SCHEDULE * 1000:
        raise _wrong_time("lies in the past; give a time to come, or leave it out to send at once")


def _wrong_time(what: str) -> InvalidMessage:
    return InvalidMessage([FieldError("send_at", what)])
