"""Take messages to a provider by the first way that is open, and by the next where one surely did not send them."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from smsgate.flow.apart import apart
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.hold import Held
from smsgate.flow.patience import Patience
from smsgate.flow.settle import Attempt
from smsgate.flow.submission import submission_of, tried
from smsgate.flow.ways import Way
from smsgate.ledger.detours import Detours
from smsgate.outcome import Fault, Outcome, Refused, Unsent

log = structlog.get_logger()

# Milliseconds from the claim of an attempt after which no provider is called any more: this process was frozen
# (SIGSTOP, a suspended machine), or waited for a channel, or for what others refused. A call takes up to 13 s, and the
# task has 30; and by the end of its lease others hold it for dead, and the message for not sent.
LAST_CALL: Final = 10_000
# Refusals that are the channel's or its account's: another may take the message. It was surely not sent.
_ELSEWHERE: Final = frozenset({Fault.ACCOUNT, Fault.CREDENTIALS, Fault.CONFIGURATION})

# What no channel is declared for: a dead letter, which goes when one is.
NO_CHANNEL: Final = Refused("no_channel", Fault.CONFIGURATION)

Ended = tuple[Sequence[Attempt], Outcome | Held]


@dataclass(frozen=True, slots=True)
class Carry:
    """The way from a claimed attempt to its outcome."""

    detours: Detours
    patience: Patience = field(default_factory=Patience)
    now: Clock = system_clock

    def __call__(
        self, attempts: Sequence[Attempt], ways: Sequence[Way], *, began: int, chunk_id: str = ""
    ) -> Iterator[Ended]:
        """Send messages of one lane and template, together where a way can; yields parts with how they ended.

        They were claimed at `began` (Unix milliseconds). A part that a channel surely did not send goes on by the next
        of `ways`; what may have been sent ends there. Messages that are in other hands by then are left out.

        Raises:
            StoreUnavailable: Redis went away: what was not yielded is found by its lease.
        """
        onward: list[Ended] = [(attempts, NO_CHANNEL)]
        for way in ways:
            stage, left = _Stage(self, way, began, chunk_id), list[Ended]()
            for part, before in onward:
                for some, outcome in stage.take(part, before):
                    if _may_go_elsewhere(outcome):
                        left.append((some, better(before, outcome)))
                    else:
                        yield some, outcome
            onward = left
        yield from onward


@dataclass(frozen=True, slots=True)
class _Stage:
    """One channel on the way of some messages."""

    carry: Carry
    way: Way
    began: int
    chunk_id: str

    def take(self, attempts: Sequence[Attempt], before: Outcome | Held) -> Iterator[Ended]:
        """Send by this channel, as many together as it takes."""
        most = self.way.channel.most_together
        for first in range(0, len(attempts), most):
            part = attempts[first : first + most]
            if self._is_late():
                yield part, Held("not_tried", self.carry.now())
            elif mine := self._switched(part, before):
                yield from apart(mine, self._call, _variables)

    def _is_late(self) -> bool:
        return self.carry.now() - self.began > LAST_CALL

    def _call(self, attempts: Sequence[Attempt]) -> Outcome | Held:
        if self._is_late():
            return Held("not_tried", self.carry.now())
        channel = self.way.channel
        submissions = [submission_of(attempt.record, self.way.profile) for attempt in attempts]
        if len(submissions) == 1:
            return tried(channel, lambda: channel.send(submissions[0]))
        return tried(channel, lambda: channel.send_chunk(self.chunk_id, submissions))

    def _switched(self, attempts: Sequence[Attempt], before: Outcome | Held) -> Sequence[Attempt]:
        """Note that they go by this channel, where they were claimed for another; leaves out those in other hands."""
        name = self.way.name
        others = [attempt for attempt in attempts if attempt.channel != name]
        if not others:
            return attempts
        at = self.carry.now()
        detail = {"after": before.reason} if isinstance(before, Unsent | Refused) and before != NO_CHANNEL else {}
        still = self.carry.detours.switch(
            others[0].record.lane,
            [(attempt.record.id, attempt.number) for attempt in others],
            name,
            at=at,
            lease=self.carry.patience.lease_until(at),
            detail={**detail, **({"chunk": self.chunk_id} if self.chunk_id else {})},
        )
        return [
            replace(attempt, channel=name)
            for attempt in attempts
            if attempt.channel == name or attempt.record.id in still
        ]


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


def _variables(attempt: Attempt) -> Hashable:
    """Tell which variables a message brings, and which of them are blank: the provider may miss those, too."""
    message = attempt.record.message
    return frozenset((name, not value.strip()) for name, value in message.params.items()) if message else None
