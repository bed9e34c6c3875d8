"""Take messages to a provider by the first way that is open, and by the next where one surely did not send them."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.hold import Held
from smsgate.flow.patience import Patience
from smsgate.flow.settle import Attempt
from smsgate.flow.stage import AHEAD, BRIEFLY, NO_CHANNEL, Stage
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Way
from smsgate.ledger.detours import Detours
from smsgate.ledger.pacing import Pacer
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.message import Lane
from smsgate.outcome import Fault, Outcome, Refused, Unsent

# Refusals that are the channel's or its account's: another may take the message. It was surely not sent.
_ELSEWHERE: Final = frozenset({Fault.ACCOUNT, Fault.CREDENTIALS, Fault.CONFIGURATION})

Ended = tuple[Sequence[Attempt], Outcome | Held]


@dataclass(frozen=True, slots=True)
class Carry:
    """The way from a claimed attempt to its outcome."""

    detours: Detours
    watch: Watch
    pacer: Pacer
    provider_ids: ProviderIds
    patience: Patience = field(default_factory=Patience)
    now: Clock = system_clock
    sleep: Callable[[float], None] = time.sleep

    def __call__(
        self, attempts: Sequence[Attempt], ways: Sequence[Way], *, began: int, chunk_id: str = "", slot_of: str = ""
    ) -> Iterator[Ended]:
        """Send messages of one lane and template, together where a way can; yields parts with how they ended.

        They were claimed at `began` (Unix milliseconds). A part that a channel surely did not send goes on by the next
        of `ways`; what may have been sent ends there. Where none has a slot at once they wait for one; a channel that
        is merely slow is called where no other can be.
        Messages that are in other hands by then are left out. `slot_of` is the channel for which a slot is booked.

        Raises:
            StoreUnavailable: Redis went away: what was not yielded is found by its lease.
        """
        onward: list[Ended] = [(attempts, NO_CHANNEL)]
        patient = AHEAD[attempts[0].record.lane]
        ahead = patient if len(ways) == 1 else min(BRIEFLY, patient)
        for way in ways:
            stage = Stage(self, way, began, chunk_id, ahead, has_slot=way.name == slot_of)
            onward = yield from self._by(stage, onward)
        for way in ways if onward else ():
            is_slow = self.watch.peek(way.name).is_slow
            again, others = list[Ended](), list[Ended]()
            for part, outcome in onward:
                may_wait = ahead < patient and isinstance(outcome, Held)
                (again if is_slow or may_wait else others).append((part, outcome))
            stage = Stage(self, way, began, chunk_id, patient, is_last_resort=is_slow)
            onward = others + (yield from self._by(stage, again))
        yield from onward

    def reserve(self, way: Way, lane: Lane) -> Held | None:
        """Book a slot of a channel before anything is claimed for it, and wait for it; or say until when there is none.

        Raises:
            StoreUnavailable: Redis is away.
        """
        booking = self.pacer.book(way.name, way.profile.pace, ahead=AHEAD[lane])
        if booking.later is not None:
            return Held("channel_rate", self.now() + booking.later)
        if booking.wait:
            self.sleep(booking.wait / 1000)
        return None

    def _by(self, stage: Stage, parts: Sequence[Ended]) -> Generator[Ended, None, list[Ended]]:
        """Send parts by one channel; returns those that may go on by another."""
        left: list[Ended] = []
        for part, before in parts:
            for some, outcome in stage.take(part, before):
                if _may_go_elsewhere(outcome):
                    left.append((some, better(before, outcome)))
                else:
                    yield some, outcome
        return left


def better(before: Outcome | Held, after: Outcome | Held) -> Outcome | Held:
    """Say which of two ways' outcomes a message ends with: what lets it be tried again soonest."""
    return min(before, after, key=_rank)


def _rank(outcome: Outcome | Held) -> tuple[int, float]:
    match outcome:
        case Unsent(wait=wait):
            return 0, wait or 0.0
        case Held(until=until):
            return 1, until
        case Refused():
            return (3 if outcome == NO_CHANNEL else 2), 0.0
        case _:
            return 0, 0.0


def _may_go_elsewhere(outcome: Outcome | Held) -> bool:
    match outcome:
        case Unsent() | Held():
            return True
        case Refused(_, fault):
            return fault in _ELSEWHERE
        case _:
            return False
