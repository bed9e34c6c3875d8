"""Is there room for it at the door? A step of accepting, for one message, for a batch and for its rows."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, assert_never

from smsgate.errors import StoreUnavailable
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.permits import Admitted, Permits, Standing, Use
from smsgate.gates.quota import Algorithm, Asked, Counts, Limit, Per, Table
from smsgate.ledger import keys
from smsgate.ledger.counter import Counter
from smsgate.ledger.counters.cells import Cells
from smsgate.ledger.counters.fixed_window import FixedWindow
from smsgate.ledger.counters.sliding_counter import SlidingCounter
from smsgate.ledger.counters.sliding_log import SlidingLog
from smsgate.ledger.quotas import Quotas
from smsgate.message import Common, Lane, Message

NOTHING: Final = Admitted([None])


@dataclass(frozen=True, slots=True)
class Admit:
    """Take permits of the declared limits. `sign` is that of messages which bring none."""

    table: Table
    quotas: Quotas
    sign: str = ""
    now: Clock = system_clock

    def message(self, message: Message, client: str) -> Admitted:
        """Let one message pass, which is a request too.

        Raises:
            LimitExceeded: One of its limits is used up; nothing counts.
            StoreUnavailable: Redis is away or silent; nothing was accepted, and some of it may count.
        """
        asked = self.asked(message, client)
        limits = self.table.fitting(asked)
        if not limits:
            return NOTHING
        return _insisted(self._permits([self._uses(limits, asked, message.to)]))

    def request(self, common: Common, client: str) -> Admitted:
        """Let a batch begin, whatever its rows.

        Raises:
            LimitExceeded: A limit that counts requests is used up.
            StoreUnavailable: As above.
        """
        asked = self.asked(common, client)
        limits = [one for one in self.table.fitting(asked) if one.counts is Counts.REQUESTS]
        return _insisted(self._permits([self._uses(limits, asked)])) if limits else NOTHING

    def look(self, client: str) -> None:
        """Turn a request away before anything of it is read, where who asks is enough to know that there is no room.

        Raises:
            LimitExceeded: A limit that counts requests is used up.
            StoreUnavailable: Redis is away or silent.
        """
        limits = [one for one in self.table.limits if one.counts is Counts.REQUESTS and one.asks_client_only]
        uses = self._uses([one for one in limits if one.fits(client, None, None)], Asked(client, Lane.BULK, "", ""))
        rooms = self.quotas.read([use.counter for use in uses], self.now())
        for use, room in zip(uses, rooms, strict=True):
            if room.remaining < 1:
                raise use.exceeded(room)

    def rows(self, common: Common, client: str, recipients: Sequence[str]) -> Admitted:
        """Let those rows of a batch pass for which there is room, the first ones first.

        Raises:
            StoreUnavailable: As above.
        """
        asked = self.asked(common, client)
        limits = [one for one in self.table.fitting(asked) if one.counts is Counts.MESSAGES]
        shared = self._uses([one for one in limits if Per.RECIPIENT not in one.per], asked)
        own = [one for one in limits if Per.RECIPIENT in one.per]
        return self._permits([[*self._uses(own, asked, to), *shared] if own else shared for to in recipients])

    def has_limits(self, common: Common, client: str) -> bool:
        """Say whether such a message comes under any."""
        return bool(self.table.fitting(self.asked(common, client)))

    def give_back(self, admitted: Admitted, rows: Iterable[int] | None = None) -> None:
        """Give back the permits of what was let through and not accepted: of all, or of some rows."""
        permits = admitted.permits(range(len(admitted.uses)) if rows is None else rows)
        self._give_back([(use.counter, count) for use, count in permits.items()])

    def take_back(self, message: Message, client: str) -> None:
        """Give back the permits of a message that was accepted a moment ago and could not be queued."""
        asked = self.asked(message, client)
        self._give_back([(use.counter, 1) for use in self._uses(self.table.fitting(asked), asked, message.to)])

    def _give_back(self, permits: Sequence[tuple[Counter, int]]) -> None:
        # Where Redis is away they count until their time is over; what their caller was told stays true.
        with suppress(StoreUnavailable):
            self.quotas.give_back(permits, self.now())

    def standings_of(self, common: Common, client: str) -> list[Standing]:
        """Say how the limits stand that all messages with this in common come under together."""
        asked = self.asked(common, client)
        limits = [one for one in self.table.fitting(asked) if Per.RECIPIENT not in one.per]
        with suppress(StoreUnavailable):  # what was accepted stays so
            return self.standings(limits, asked)
        return []

    def standings(self, limits: Iterable[Limit], asked: Asked, recipient: str = "") -> list[Standing]:
        """Say how limits stand, without counting.

        Raises:
            StoreUnavailable: Redis is away or silent.
        """
        uses = self._uses(limits, asked, recipient)
        rooms = self.quotas.read([use.counter for use in uses], self.now())
        return [Standing(use.limit, room.remaining, room.lasts) for use, room in zip(uses, rooms, strict=True)]

    def asked(self, common: Common, client: str) -> Asked:
        """Say of a message, or of a batch, what limits ask about."""
        return Asked(client, common.lane, common.template, common.sign or self.sign)

    def _permits(self, uses: Sequence[Sequence[Use]]) -> Admitted:
        return Permits(self.quotas, self.now)(uses)

    def _uses(self, limits: Iterable[Limit], asked: Asked, recipient: str = "") -> list[Use]:
        now = self.now()
        return [Use(limit, _counter(limit, asked.subject(limit, recipient), now)) for limit in limits]


def _insisted(admitted: Admitted) -> Admitted:
    """Refuse what is one whole.

    Raises:
        LimitExceeded: It was not let through.
    """
    if admitted.refusals[0]:
        raise admitted.refusals[0]
    return admitted


def _counter(limit: Limit, subject: Sequence[str], now: int) -> Counter:
    """Name what a limit counts for a subject, by its algorithm."""
    allow, span = limit.allow, f"{limit.allow.count}{limit.allow.unit}"
    match limit.algorithm:
        case Algorithm.FIXED_WINDOW:
            start, end = allow.window(now)
            return FixedWindow(keys.limit("window", f"{span}:{start // 1000}", limit.name, subject), allow.number, end)
        case Algorithm.SLIDING_LOG:
            return SlidingLog(keys.limit("log", span, limit.name, subject), allow.number, allow.seconds)
        case Algorithm.SLIDING_COUNTER:
            return SlidingCounter(keys.limit("counter", span, limit.name, subject), allow.number, allow.seconds)
        case Algorithm.GCRA:
            return Cells(keys.limit("cells", span, limit.name, subject), allow.number, allow.seconds)
        case other:
            assert_never(other)
