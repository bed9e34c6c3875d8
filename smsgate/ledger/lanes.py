"""Which lanes are paused, by whom and why; and how their attempts end lately."""

import json
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.message import Lane

# Seconds for which a process trusts what it has read: a paused lane sends at most this much longer.
TRUST: Final = 1.0


class By(StrEnum):
    """Who paused a lane."""

    HAND = "hand"  # an operator, who resumes it
    BRAKE = "brake"  # too many attempts ended dead; it resumes when a probe gets through


@dataclass(frozen=True, slots=True)
class Pause:
    """A lane that stands still; `at` in Unix milliseconds."""

    by: By
    reason: str
    at: int

    def line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


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
        self._trusted: tuple[float, dict[Lane, Pause]] = (float("-inf"), {})

    def pauses(self) -> dict[Lane, Pause]:
        """Read which lanes are paused now."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.PAUSES))
        return {lane: _pause(known[lane]) for lane in Lane if lane in known}

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
        """Let a lane go on, with `only` from that very pause; False when it was not paused so."""
        with border():
            was = self._resume(
                keys=[keys.PAUSES, keys.probe(lane)], args=[lane, only.line() if only is not None else ""]
            )
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


def _pause(line: str) -> Pause:
    known = json.loads(line)
    return Pause(By(known["by"]), known["reason"], known["at"])
