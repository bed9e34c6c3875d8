"""A message in the form in which a channel takes it, and the call that no exception leaves."""

from collections.abc import Callable

import structlog

from smsgate.channels.channel import Channel, Submission
from smsgate.ledger.record import Record
from smsgate.outcome import Outcome, Uncertain
from smsgate.routing.profile import Profile

log = structlog.get_logger()


def submission_of(record: Record, profile: Profile) -> Submission:
    """Lay out a message for its channel, in the words under which the provider knows sign, template and variables."""
    message = record.message
    if message is None:
        raise AssertionError("a message that is sent holds its text")
    return Submission(
        id=record.id,
        phone=message.to,
        sign=profile.sign_for(message.sign) or "",
        template=profile.template_for(message.template),
        params=profile.params_for(message.template, message.params),
    )


def tried(channel: Channel, call: Callable[[], Outcome]) -> Outcome:
    """Call the provider once; the call has begun, so whatever broke it, the SMS may be out."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - see above
        log.error("channel_broke", channel=channel.name, error=type(error).__name__)  # noqa: TRY400 - a traceback would show the SDK's URL, with number and code
        return Uncertain(reason=type(error).__name__)
