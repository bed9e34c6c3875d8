"""What a message is sent by: all that a rule may ask about it."""

from dataclasses import dataclass, field

from smsgate.message import Lane
from smsgate.phone import Phone
from smsgate.routing.carriers import Carrier


@dataclass(frozen=True, slots=True)
class Traits:
    """A message as the routing table sees it; `country` is an ISO region such as `CN`, '' where it is not known.

    `carrier` is None abroad and where the segment tells none. No rule asks for the `sign`; a channel may lack it.
    """

    lane: Lane
    template: str
    phone: Phone = field(repr=False)
    country: str
    carrier: Carrier | None
    client: str = ""
    sign: str | None = None
