"""Slots of channels, booked by all workers of all hosts; and how often each recipient was written to through them."""

import math
import os
import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, cast

import redis

from smsgate.ledger import keys
from smsgate.ledger.act import Act
from smsgate.ledger.connection import border
from smsgate.ledger.pace import Rate, rate_of
from smsgate.ledger.turns import AT_ONCE, in_turn
from smsgate.routing.caps import Caps, Windows

# Milliseconds that a slot may be booked ahead, at the most: calls are counted for little longer than that.
AHEAD: Final = 2000


@dataclass(frozen=True, slots=True)
class Booking:
    """What came of asking for a slot; times in milliseconds.

    `wait` is how long to wait with the call. With `later` nothing was booked, and it is how long to wait before asking
    again. `capped` says, by their index, which recipients must be left out, and how long they must wait; where that is
    all of them, no slot was booked. `at` (Unix ms of Redis) is when the others count as written to.
    """

    wait: int = 0
    later: int | None = None
    capped: Mapping[int, int] = field(default_factory=dict)
    at: int = 0


class Pacer:
    """The paces of channels in one Redis, for any number of threads."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._book = Act(client, "book")
        self._throttled = Act(client, "throttled")
        self._take_back = Act(client, "take_back")
        self._caller = _Caller()

    def book(self, channel: str, rate: float | None, recipients: Sequence[Caps] = (), *, ahead: int = AHEAD) -> Booking:
        """Book a slot for one call at `rate` calls a second, and note up to 100 recipients where their caps allow.

        The slot lies up to `ahead` milliseconds ahead, `AHEAD` at the most. Without rate and caps this costs nothing.

        Raises:
            StoreUnavailable: Redis is away; a slot may have been booked.
        """
        names = [keys.cap(channel, name) for caps in recipients for name, _ in caps]
        if rate is None and not names:
            return Booking()
        sets: dict[Windows, str] = {}
        kinds = ["".join(sets.setdefault(windows, chr(48 + len(sets))) for _, windows in caps) for caps in recipients]
        number = self._caller.number()
        with border(), _turn(names):
            now, slot, later, cuts, *capped = self._book(
                keys=[keys.pace(channel), keys.told(self._caller.name), *names],
                args=[
                    *(number, "" if rate is None else repr(float(rate)), min(ahead, AHEAD) * 1000),
                    *(keys.PACE_TTL * 1000, keys.TOLD_TTL * 1000, len(sets)),
                    *map(_written, sets),
                    *kinds,
                ],
            )
        if slot:
            self._caller.booked[channel] = (slot, cuts)
        return _booking(now, slot, later, capped)

    def give_back(self, channel: str, booking: Booking, recipients: Iterable[Caps]) -> None:
        """Take back that these recipients of a booking were written to, because surely nothing was sent.

        The slot itself is spent.

        Raises:
            StoreUnavailable: They may count as written to, until their windows are over.
        """
        names = [keys.cap(channel, name) for caps in recipients for name, _ in caps]
        if not names or not booking.at:
            return
        number = self._caller.number()
        with border(), _turn(names):
            self._take_back(
                keys=[keys.told(self._caller.name), *names], args=[number, keys.TOLD_TTL * 1000, booking.at]
            )

    def throttled(self, channel: str, declared: float | None, wait: float | None = None) -> None:
        """Report that the provider throttled the call for which this thread booked a slot last.

        `wait` is the seconds that the provider named. All reports on calls of before a cut count as one. Without a
        declared rate nothing is booked, so that there is nothing to cut.

        Raises:
            StoreUnavailable: The next report will do.
        """
        if declared is None:
            return
        number = self._caller.number()
        slot, cuts = self._caller.booked.pop(channel, (0, 0))
        with border():
            self._throttled(
                keys=[keys.pace(channel), keys.told(self._caller.name)],
                args=[
                    *(number, repr(float(declared)), slot, cuts, repr(float(wait or 0.0))),
                    *(keys.PACE_TTL * 1000, keys.TOLD_TTL * 1000),
                ],
            )

    def rates(self, channels: Iterable[str]) -> Mapping[str, Rate]:
        """Read the rates of channels.

        Raises:
            StoreUnavailable: Redis is away.
        """
        names = list(channels)
        with border():
            pipe = self._redis.pipeline(transaction=False)
            pipe.time()
            for name in names:
                pipe.hgetall(keys.pace(name))
            (seconds, micros), *paces = cast("list[tuple[int, int]]", pipe.execute())
        return {
            name: rate_of(cast("dict[str, str]", pace), seconds * 1_000_000 + micros)
            for name, pace in zip(names, paces, strict=True)
        }


class _Caller(threading.local):
    """One thread of one process: under its name Redis knows what it was told last, should the answer be lost."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pid, self._count = os.getpid(), 0
        self.name = secrets.token_urlsafe(9)
        # By channel, the slot of the last call (Unix µs), and the cuts of the rate before it.
        self.booked: dict[str, tuple[int, int]] = {}

    def number(self) -> int:
        """Number one more call."""
        if self._pid != os.getpid():  # a child is another caller than its parent
            self._begin()
        self._count += 1
        return self._count


def _turn(names: Sequence[str]) -> AbstractContextManager[None]:
    """Let those who ask for many recipients come one after another: a hundred take Redis a millisecond."""
    return in_turn() if len(names) > AT_ONCE else nullcontext()


def _booking(now: int, slot: int, later: int, capped: Sequence[str | int]) -> Booking:
    waits = {int(one): max(1, int(until) - now // 1000) for one, until in zip(capped[::2], capped[1::2], strict=True)}
    return Booking(
        wait=max(0, math.ceil((slot - now) / 1000)),
        later=later if later >= 0 else None,
        capped=waits,
        at=math.ceil(slot / 1000),
    )


@lru_cache(maxsize=64)
def _written(windows: Windows) -> str:
    return " ".join(f"{math.ceil(seconds * 1000)} {permits}" for seconds, permits in windows)
