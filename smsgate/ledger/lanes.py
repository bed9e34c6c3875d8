"""Which lanes are paused, by whom and why; and how their attempts end lately."""

import json
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.degradations import Degradations, Known, known_of
from smsgate.message import Lane
from smsgate.routing.degradation import Hold

# Seconds for which a process trusts what it has read: a paused lane sends at most this much longer.
TRUST: Final = 1.0


class By(StrEnum):
    """Who paused a lane."""

    HAND = "hand"  # an operator, who resumes it
    BRAKE = "brake"  # too many attempts ended dead; it resumes when a probe gets through
    DEGRADATION = "degradation"  # the level holds it; it goes on when the level falls
    DELAY = "delay"  # likewise, and a message or a chunk at a time goes


# Paused lanes of which one message or chunk at a time may go.
PROBED: Final = frozenset({By.BRAKE, By.DELAY})


@dataclass(frozen=True, slots=True)
class Pause:
    """A lane that stands still; `at` in Unix milliseconds."""

    by: By
    reason: str
    at: int

    def line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def read(cls, line: str) -> "Pause":
        known = json.loads(line)
        return cls(By(known["by"]), known["reason"], known["at"])


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages came to an end after an attempt in a while, and how many of them dead."""

    ended: int
    dead: int

    @property
    def share(self) -> float:
        return self.dead / self.ended if self.ended else 0.0


class Lanes:
    """The lanes in one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._resume = client.register_script(scripts.source("resume_lane"))
        self._degradations = Degradations(client)
        self._trusted: tuple[float, dict[Lane, Pause]] = (float("-inf"), {})

    def pauses(self) -> dict[Lane, Pause]:
        """Read which lanes are paused now, by a hand, by the level of degradation or by their brakes, in this order."""
        with border():
            pipe = self._redis.pipeline(transaction=False)
            pipe.hgetall(keys.PAUSES)
            pipe.hgetall(keys.DEGRADATION)
            stored, degraded = cast("list[dict[str, str]]", pipe.execute())
        level, now = known_of(degraded), time.time_ns() // 1_000_000
        found = {
            lane: _first(Pause.read(stored[lane]) if lane in stored else None, _held(level, lane, now)) for lane in Lane
        }
        return {lane: pause for lane, pause in found.items() if pause is not None}

    def pause_of(self, lane: Lane) -> Pause | None:
        """Say whether a lane is paused; what was read is trusted for `TRUST` seconds, so that this costs nothing."""
        now = time.monotonic()
        if now - self._trusted[0] >= TRUST:
            self._trusted = (now, self.pauses())
        return self._trusted[1].get(lane)

    def pause(self, lane: Lane, pause: Pause) -> bool:
        """Pause a lane; False when it is paused already, by a hand that counts more than a brake."""
        line = pause.line()
        with border():
            if pause.by is By.HAND:
                self._redis.hset(keys.PAUSES, lane, line)
                new = True
            else:
                new = bool(self._redis.hsetnx(keys.PAUSES, lane, line))
        self._forget()
        return new

    def resume(self, lane: Lane, *, only: Pause | None = None) -> bool:
        """Let a lane go on, with `only` from that very pause; False when it was not paused so.

        Without `only` it is a hand that does so; then the level of degradation does not hold it either, until it has
        fallen and risen anew.
        """
        with border():
            was = self._resume(
                keys=[keys.PAUSES, keys.probe(lane)], args=[lane, only.line() if only is not None else ""]
            )
        if only is None and self.pauses().get(lane) is not None:
            self._degradations.let_go(lane)
            was = True
        self._forget()
        return bool(was)

    def take_probe(self, lane: Lane, probe: str, seconds: float) -> bool:
        """Make this message or chunk the lane's only probe for so long; True also for the one that is it already."""
        with border():
            taken = self._redis.set(keys.probe(lane), probe, nx=True, px=int(seconds * 1000))
            return bool(taken) or self._redis.get(keys.probe(lane)) == probe

    def is_probed(self, lane: Lane) -> bool:
        """Say whether a probe is under way."""
        with border():
            return bool(self._redis.exists(keys.probe(lane)))

    def tally(self, lane: Lane, now: int, window: int) -> Tally:
        """Add up what ended in the last `window` milliseconds, by slices of `keys.TALLY_SLICE`."""
        slices = range(0, window, keys.TALLY_SLICE)
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for back in slices:
                pipe.hmget(keys.tally(lane, now - back), "ended", "dead")
            counts = cast("list[list[str | None]]", pipe.execute())
        return Tally(sum(int(ended or 0) for ended, _ in counts), sum(int(dead or 0) for _, dead in counts))

    def clear_tally(self, lane: Lane, now: int, window: int) -> None:
        """Begin to count anew."""
        with border():
            self._redis.delete(*(keys.tally(lane, now - back) for back in range(0, window, keys.TALLY_SLICE)))

    def _forget(self) -> None:
        self._trusted = (float("-inf"), {})


def _first(own: Pause | None, held: Pause | None) -> Pause | None:
    return own if held is None or (own is not None and own.by is By.HAND) else held


def _held(known: Known, lane: Lane, now: int) -> Pause | None:
    hold, level = known.hold_of(lane, now), known.state.level
    if hold is Hold.GOES:
        return None
    by = By.DELAY if hold is Hold.TRICKLES else By.DEGRADATION
    return Pause(by, f"level {level:d} {level.label}: {known.state.why}".rstrip(": "), known.state.since)
