"""Which messages wait for others to leave with, and for how long."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from smsgate.errors import StoreUnavailable
from smsgate.ledger.groups import Groups
from smsgate.ledger.record import Gathers
from smsgate.message import Lane, Message


@dataclass(frozen=True, slots=True)
class Gathering:
    """How messages that arrive one by one leave together: those of one lane, template and sign, by `usual`.

    `by_template` says it for some templates; None is for messages that leave by themselves. Codes are never held.
    """

    groups: Groups
    usual: Gathers | None = None
    by_template: Mapping[str, Gathers | None] = field(default_factory=dict)

    def of(self, message: Message) -> Gathers | None:
        """Say how a message gathers; abroad the provider sends one by one, so those leave by themselves too."""
        if message.lane is Lane.OTP or not message.to.is_mainland:
            return None
        return self.by_template.get(message.template, self.usual)

    def offer(self, lane: Lane) -> None:
        """Have a full chunk taken at once; what is accepted is accepted, and beat would find it half a second later."""
        with suppress(StoreUnavailable):
            self.groups.offer(lane)
