"""A message in the form in which a channel takes it, and the call that no exception leaves."""

from collections.abc import Callable

import structlog

from smsgate.channels.channel import Channel, Submission
from smsgate.ledger.record import Record
from smsgate.outcome import Outcome, Uncertain

log = structlog.get_logger()


def submission_of(record: Record, sign: str) -> Submission:
    """Lay out a message for its channel; `sign` is for one that brings none."""
    message = record.message
    if message is None:
        raise AssertionError("a message that is sent holds its text")
    return Submission(
        id=record.id,
        phone=message.to,
        sign=message.sign or sign,
        template=message.template,
        params=message.params,
    )


def tried(channel: Channel, call: Callable[[], Outcome]) -> Outcome:
    """Call the provider once; the call has begun, so whatever broke it, the SMS may be out."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - see above
        log.error("channel_broke", channel=channel.name, error=type(error).__name__)  # noqa: TRY400 - a traceback would show the SDK's URL, with number and code
        return Uncertain(reason=type(error).__name__)
