"""Send dead letters again, through the whole road, once what killed them is mended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.patience import ATTEMPTS
from smsgate.flow.submit import slot_of
from smsgate.ledger.dead_letters import Cursor, DeadLetters, Filter
from smsgate.ledger.records import Record, Records, Result
from smsgate.message import LONGEST_SCHEDULE, MessageId
from smsgate.states import State

log = structlog.get_logger()

# Letters read in one go, and the most that one call over HTTP replays.
PAGE: Final = 1_000
# Messages per second: slower, a thousand letters take more than a day; faster is as good as no rate.
SLOWEST: Final = 0.01
FASTEST: Final = 10_000.0
# Reasons of letters about which no provider has said that they were not sent. They are replayed only where somebody
# names them, or this reason.
MAY_HAVE_BEEN_SENT: Final = frozenset({"uncertain", "provider_silent"})


class Why(StrEnum):
    """Why a letter was not replayed."""

    MISSING = "missing"
    NOT_DEAD = "not_dead"
    MAY_HAVE_BEEN_SENT = "may_have_been_sent"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A letter that was not replayed."""

    id: MessageId
    why: Why


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay: `until` is when the last one goes (Unix milliseconds), `next` where letters are left."""

    count: int = 0
    until: int | None = None
    skipped: tuple[Skipped, ...] = ()
    next: Cursor | None = None


@dataclass(slots=True)
class _Run:
    """One replay while it goes on: each message's time follows from how many there were before."""

    began: int
    rate: float | None
    count: int = 0
    until: int | None = None
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def at(self) -> int:
        """When the next message goes."""
        return self.began + (int(self.count * 1000 / self.rate) if self.rate else 0)

    @property
    def seen(self) -> int:
        return self.count + len(self.skipped)

    def replayed(self, at: int) -> None:
        self.count += 1
        self.until = at

    def skip(self, message_id: MessageId, why: Why) -> None:
        self.skipped.append(Skipped(message_id, why))

    def told(self, rest: Cursor | None = None) -> Replayed:
        return Replayed(self.count, self.until, tuple(self.skipped), rest)


@dataclass(frozen=True, slots=True)
class Replay:
    """Queue dead letters anew: with a life of five attempts, valid from the time at which each is to go."""

    records: Records
    letters: DeadLetters
    now: Clock = system_clock

    def these(self, ids: Sequence[MessageId], *, rate: float | None = None, client: str | None = None) -> Replayed:
        """Replay letters by their ids, `rate` of them a second; a `client` has those that it can see.

        Replaying a letter twice does nothing twice.

        Raises:
            StoreUnavailable: Some may have been replayed; the same call may be made again.
        """
        run = _Run(self.now(), rate)
        unique = list(dict.fromkeys(ids))
        for start in range(0, len(unique), PAGE):
            some = unique[start : start + PAGE]
            for message_id, record in zip(some, self.records.read_all(some), strict=True):
                if record is None or (client is not None and record.client not in ("", client)):
                    run.skip(message_id, Why.MISSING)
                else:
                    self._replay(run, record)
        return run.told()

    def matching(
        self,
        which: Filter,
        *,
        rate: float | None = None,
        limit: int | None = None,
        cursor: Cursor | None = None,
        scan: int | None = None,
    ) -> Replayed:
        """Replay the letters that fit, the newest first, up to `limit`; with `scan`, looks at no more than so many.

        At a slow rate some would have to wait longer than any message may: they stay, and `next` tells where.

        Raises:
            StoreUnavailable: Some may have been replayed; the same call goes on with the others.
        """
        run = _Run(self.now(), rate)
        most = min(limit or float("inf"), max(1, int(LONGEST_SCHEDULE * rate)) if rate else float("inf"))
        named = which.reason is not None and which.reason.rstrip("*") in MAY_HAVE_BEEN_SENT
        while True:
            size = int(min(PAGE, most - run.seen))
            page = self.letters.page(which, limit=size, cursor=cursor, **({"scan": scan} if scan else {}))
            self._replay_all(run, page.letters, doubtful=named)
            cursor = page.next
            if cursor is None or run.seen >= most or scan:
                return run.told(cursor)

    def _replay_all(self, run: _Run, letters: Iterable[Record], *, doubtful: bool) -> None:
        for letter in letters:
            if letter.reason in MAY_HAVE_BEEN_SENT and not doubtful:
                run.skip(letter.id, Why.MAY_HAVE_BEEN_SENT)
            else:
                self._replay(run, letter)

    def _replay(self, run: _Run, letter: Record) -> None:
        if letter.message is None or letter.state is not State.DEAD:
            run.skip(letter.id, Why.NOT_DEAD)
            return
        now = self.now()
        at = max(run.at, now)
        waits = at > now
        valid_until = at + letter.message.seconds_valid * 1000
        move = self.records.move(
            letter.id,
            State.QUEUED,
            at=now,
            fields={"valid_until": valid_until, "not_before": at if waits else 0, **_new_life(letter)},
            detail={"replayed": True, **({"not_before": at} if waits else {})},
            only_from=State.DEAD,
            of_attempt=letter.attempts,
            due=at if waits else valid_until,
            slot=None if waits else slot_of(letter),
        )
        if move.result is Result.MOVED:
            run.replayed(at)
            log.info("dead_letter_replayed", message_id=letter.id, not_before=at)
        else:
            run.skip(letter.id, Why.MISSING if move.result is Result.MISSING else Why.NOT_DEAD)


def _new_life(letter: Record) -> dict[str, str | int]:
    """Forget what counted against the message in its last life; its history stays in the timeline."""
    return {"budget": letter.attempts + ATTEMPTS, "reason": "", "asks": 0, "redelivered": 0}
