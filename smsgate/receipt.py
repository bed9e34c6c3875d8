"""What a provider reports of a message after it was sent, in our words, whoever the provider is."""

from dataclasses import dataclass, field

from smsgate.message import MessageId
from smsgate.phone import Phone


@dataclass(frozen=True, slots=True)
class Receipt:
    """The carrier's last word on one message to one phone.

    `code` is the provider's or carrier's own, raw; `reason` is ours for it, None when delivered.
    Times are Unix milliseconds, None where the provider gave none that can be read.
    """

    message_id: MessageId
    provider_id: str
    phone: Phone
    delivered: bool
    code: str
    reason: str | None
    reported_at: int | None
    segments: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that a phone sent to us (MO); `content` is kept out of `repr`."""

    phone: Phone
    content: str = field(repr=False)
    destination: str
    sent_at: int | None
    sequence: str
