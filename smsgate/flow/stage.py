"""One channel on the way of some messages: may it be called, when, and how did the call end."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from smsgate.errors import StoreUnavailable
from smsgate.flow.apart import apart
from smsgate.flow.clock import Clock
from smsgate.flow.hold import Held
from smsgate.flow.patience import Patience
from smsgate.flow.settle import Attempt
from smsgate.flow.standing import Blocked, Go
from smsgate.flow.submission import submission_of, tried
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Way, traits_of
from smsgate.ledger.detours import Detours
from smsgate.ledger.pacing import Booking, Pacer
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.message import Lane
from smsgate.outcome import Fault, Outcome, Refused, Sent, Unsent
from smsgate.routing.caps import Caps, caps_of
from smsgate.routing.traffic import Traffic

# Milliseconds from the claim of an attempt after which no provider is called any more: this process was frozen
# (SIGSTOP, a suspended machine), or waited for a channel, or for what others refused. A call takes up to 13 s, and the
# task has 30; and by the end of its lease others hold it for dead, and the message for not sent.
LAST_CALL: Final = 10_000
# Milliseconds that a message waits in a worker's hands for its channel's rate. A campaign waits for less than a code
# does: where a channel is used up, its slots are left to the codes.
AHEAD: Final[dict[Lane, int]] = {Lane.OTP: 2000, Lane.NOTICE: 1000, Lane.BULK: 100}
# As long as another channel may have a slot sooner.
BRIEFLY: Final = 100
# Milliseconds of waiting after which it is looked again whether the channel may be called.
_LONG: Final = 50
NOT_TRIED: Final = "not_tried"
# What no channel is declared for: a dead letter, which goes when one is.
NO_CHANNEL: Final = Refused("no_channel", Fault.CONFIGURATION)

Ended = tuple[Sequence[Attempt], Outcome | Held]


class Means(Protocol):
    """What it takes to carry messages."""

    @property
    def detours(self) -> Detours: ...
    @property
    def watch(self) -> Watch: ...
    @property
    def pacer(self) -> Pacer: ...
    @property
    def provider_ids(self) -> ProviderIds: ...
    @property
    def patience(self) -> Patience: ...
    @property
    def now(self) -> Clock: ...
    @property
    def sleep(self) -> Callable[[float], None]: ...


@dataclass(slots=True)
class Stage:
    """One channel, for messages that were claimed at `began` (Unix ms); as a last resort it is called though slow."""

    means: Means
    way: Way
    began: int
    chunk_id: str
    ahead: int  # milliseconds that a slot may lie ahead
    is_last_resort: bool = False
    has_slot: bool = False  # for the next call
    caps: dict[str, Caps] = field(default_factory=dict)  # what each message's recipient is counted by
    booking: Booking = field(default_factory=Booking)

    def take(self, attempts: Sequence[Attempt], before: Outcome | Held) -> Iterator[Ended]:
        """Send by this channel, as many together as it takes; `before` is how the way before it ended."""
        most = self.way.channel.most_together
        for first in range(0, len(attempts), most):
            yield from self._send(attempts[first : first + most], before)

    def _send(self, attempts: Sequence[Attempt], before: Outcome | Held) -> Iterator[Ended]:
        held = self._admitted()
        if isinstance(held, Held):
            yield attempts, held
            return
        self.caps = {attempt.record.id: self._caps_of(attempt) for attempt in attempts}
        self.booking = self._book([self.caps[attempt.record.id] for attempt in attempts])
        free = [attempt for place, attempt in enumerate(attempts) if place not in self.booking.capped]
        for place, wait in self.booking.capped.items():
            yield attempts[place : place + 1], Unsent("recipient_limit", Fault.RECIPIENT, wait / 1000)
        mine = free and self._when_it_is_time(free, before)
        if isinstance(mine, Held):
            yield free, mine
        if isinstance(mine, Held) or not mine:
            self.means.watch.give_back(self.way.name)
            return
        for part, outcome in apart(mine, self._call, _variables):
            self._learn(part, outcome)
            yield part, outcome

    def _admitted(self) -> Held | None:
        """Ask the breaker; as a last resort nobody is asked."""
        admission = Go() if self.is_last_resort else self.means.watch.admit(self.way.name)
        if isinstance(admission, Blocked):
            return Held(f"channel_{admission.reason}", admission.until_ms)
        return None

    def _book(self, caps: Sequence[Caps]) -> Booking:
        rate = None if self.has_slot else self.way.profile.pace
        self.has_slot = True
        return self.means.pacer.book(self.way.name, rate, caps, ahead=self.ahead)

    def _when_it_is_time(self, attempts: Sequence[Attempt], before: Outcome | Held) -> Sequence[Attempt] | Held:
        """Wait for the slot; says which messages may be sent then, for some may be in other hands."""
        now = self.means.now()
        if self.booking.later is not None:
            return Held("channel_rate", now + self.booking.later, in_turn=True)
        if self.booking.wait:
            self.means.sleep(self.booking.wait / 1000)
        if self._is_late():
            return Held(NOT_TRIED, self.means.now())
        if self.booking.wait > _LONG and not self.is_last_resort:
            standing = self.means.watch.peek(self.way.name)
            if not standing.may_be_called(self.means.now()):
                return Held(f"channel_{standing.reason}", standing.until_ms)
        return self._switched(attempts, before)

    def _switched(self, attempts: Sequence[Attempt], before: Outcome | Held) -> Sequence[Attempt]:
        """Note that they go by this channel, where they were claimed for another; leaves out those in other hands."""
        name = self.way.name
        others = [attempt for attempt in attempts if attempt.channel != name]
        if not others:
            return attempts
        at = self.means.now()
        after = {} if before == NO_CHANNEL else {"after": str(getattr(before, "reason", ""))}
        still = self.means.detours.switch(
            others[0].record.lane,
            [(attempt.record.id, attempt.number) for attempt in others],
            name,
            at=at,
            lease=self.means.patience.lease_until(at),
            detail={**after, **({"chunk": self.chunk_id} if self.chunk_id else {})},
        )
        return [
            replace(attempt, channel=name)
            for attempt in attempts
            if attempt.channel == name or attempt.record.id in still
        ]

    def _call(self, attempts: Sequence[Attempt]) -> Outcome | Held:
        """Call the provider once; for another call than the first a slot of its own is booked."""
        if self._is_late():
            return Held(NOT_TRIED, self.means.now())
        if not self.has_slot:
            booking = self._book(())
            if booking.later is not None:
                return Held("channel_rate", self.means.now() + booking.later)
            self.means.sleep(booking.wait / 1000)
        self.has_slot = False
        sizes = Counter(_traffic(attempt) for attempt in attempts)
        traffic = next(iter(sizes)) if len(sizes) == 1 else Traffic.of(attempts[0].record.lane)
        return self.means.watch.call(self.way.name, traffic, lambda: self._tried(attempts), sizes=sizes)

    def _tried(self, attempts: Sequence[Attempt]) -> Outcome:
        channel = self.way.channel
        submissions = [submission_of(attempt.record, self.way.profile) for attempt in attempts]
        if len(submissions) == 1:
            return tried(channel, lambda: channel.send(submissions[0]))
        return tried(channel, lambda: channel.send_chunk(self.chunk_id, submissions))

    def _learn(self, attempts: Sequence[Attempt], outcome: Outcome | Held) -> None:
        """Slow down where the provider says so, take back what does not count there, note what it will be called.

        The call is made: whether Redis hears of this or not, its outcome stands.
        """
        with suppress(StoreUnavailable):
            self._tell(attempts, outcome)

    def _tell(self, attempts: Sequence[Attempt], outcome: Outcome | Held) -> None:
        if isinstance(outcome, Sent) and self.way.channel.reports_by_provider_id:
            for attempt in attempts:
                self.means.provider_ids.note(self.way.name, outcome.provider_id, attempt.record.id)
        if isinstance(outcome, Unsent) and outcome.fault is Fault.THROTTLED:
            self.means.pacer.throttled(self.way.name, self.way.profile.pace, outcome.wait)
        if isinstance(outcome, Unsent | Refused | Held):
            caps = [self.caps[attempt.record.id] for attempt in attempts]
            self.means.pacer.give_back(self.way.name, self.booking, caps)

    def _caps_of(self, attempt: Attempt) -> Caps:
        message, caps = attempt.record.message, self.way.profile.caps
        if message is None or not caps:
            return ()
        return caps_of(caps, traits_of(message), self.way.profile.sign_for(message.sign) or "")

    def _is_late(self) -> bool:
        return self.means.now() - self.began > LAST_CALL


def _traffic(attempt: Attempt) -> Traffic:
    message = attempt.record.message
    return Traffic.of(attempt.record.lane, traits_of(message).carrier if message else None)


def _variables(attempt: Attempt) -> Hashable:
    """Tell which variables a message brings, and which of them are blank: the provider may miss those, too."""
    message = attempt.record.message
    return frozenset((name, not value.strip()) for name, value in message.params.items()) if message else None
