"""The channels by which a message may leave."""

from collections.abc import Sequence
from dataclasses import dataclass

from smsgate.channels.channel import Channel
from smsgate.ledger.record import Record
from smsgate.message import Lane
from smsgate.routing.profile import Profile


@dataclass(frozen=True, slots=True)
class Way:
    """A channel, and what is declared of it."""

    channel: Channel
    profile: Profile

    @property
    def name(self) -> str:
        return self.profile.name


@dataclass(frozen=True, slots=True)
class Ways:
    """All channels of this process."""

    known: Sequence[Way]

    def before(self, _lane: Lane) -> tuple[str, ...]:
        """Name the channels that a message may take of which only the lane is known, the first to try first."""
        return tuple(way.name for way in self.known)

    def of(self, _record: Record, first: str) -> Sequence[Way]:
        """List the ways that a message may take, the first to try first: `first` unless it must not go there."""
        return sorted(self.known, key=lambda way: way.name != first)

    def named(self, name: str | None) -> Way | None:
        """Find a channel by its name, the only one without; None when it is not declared any more."""
        if name is None and len(self.known) == 1:
            return self.known[0]
        return next((way for way in self.known if way.name == name), None)
