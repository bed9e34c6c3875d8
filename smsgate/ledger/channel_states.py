"""How the breakers of channels stand, for all processes: each act on one is a script, and tells what came of it."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import redis

from smsgate.ledger import keys
from smsgate.ledger.act import Act
from smsgate.ledger.connection import border
from smsgate.routing.breaker import BreakerRule, Event, Phase, Reason, State, Turn

# Milliseconds after which a caller asks again at the latest who found all probes under way.
ASK_AGAIN: Final = 1_000


@dataclass(frozen=True, slots=True)
class Paused:
    """A channel that an operator paused; `at` in Unix milliseconds."""

    reason: str
    at: int


class ChannelStates:
    """The breakers in one Redis.

    `client` should give up early: while Redis is away a process decides by itself, and a call should not wait for that.
    Everything here raises StoreUnavailable.
    """

    def __init__(self, client: redis.Redis, rule: BreakerRule) -> None:
        self._redis = client
        self._rule = rule
        self._take, self._settle, self._open, self._close = (
            Act(client, script) for script in ("take_probe", "settle_probe", "open_breaker", "close_breaker")
        )

    def take_probe(self, name: str, token: str) -> Turn:
        """Let one more call through a breaker that is not closed, if it may go now."""
        args = (token, int(self._rule.probe_lease * 1000), self._rule.probes, ASK_AGAIN)
        return self._act(self._take, name, *args)

    def settle(self, name: str, token: str, *, well: bool | None, reason: Reason, detail: str) -> Turn:
        """Draw the lesson of a probe: it went well, it failed for a reason, or (None) it proved nothing."""
        lesson = "" if well is None else "ok" if well else "failed"
        sleep, rule = self._rule.sleep_after(reason), self._rule
        args = (token, lesson, reason, detail, sleep, rule.successes, keys.CALLS_IN, rule.window)
        return self._act(self._settle, name, *args)

    def open(self, name: str, reason: Reason, detail: str) -> Turn:
        """Open a breaker at once; one that is not closed stays as it is, except by hand."""
        return self._act(self._open, name, reason, detail, self._rule.sleep_after(reason))

    def close(self, name: str) -> Turn:
        """Close a breaker by hand, and forget what opened it."""
        return self._act(self._close, name, keys.CALLS_IN, self._rule.window)

    def pause(self, channel: str, reason: str, at: int) -> None:
        with border():
            self._redis.hset(keys.CHANNELS_PAUSED, channel, json.dumps({"reason": reason, "at": at}))

    def resume(self, channel: str) -> bool:
        """Let a channel go on; False when it was not paused."""
        with border():
            return bool(self._redis.hdel(keys.CHANNELS_PAUSED, channel))

    def events(self) -> list[Event]:
        """Read the latest events, the newest first."""
        with border():
            lines = cast("list[str]", self._redis.lrange(keys.BREAKER_EVENTS, 0, -1))
        return [event_of(line, 0) for line in lines]

    def turns(self) -> dict[tuple[str, str, Phase], int]:
        """Count how often each breaker (channel, operation) came to each state; these counts only grow."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.BREAKER_TURNS))
        return {_turned(name): int(count) for name, count in known.items()}

    def _act(self, act: Act, name: str, *args: str | int) -> Turn:
        names = [keys.BREAKERS, keys.breaker_probes(name), keys.BREAKER_EVENTS, keys.BREAKER_TURNS]
        with border():
            micros, state, events, granted, until = act(names, [name, *args])
        skew = skew_of(micros)
        return Turn(
            state_of(state, skew),
            events_of(events, skew),
            granted=bool(granted),
            until=int(until) - skew,
            order=int(micros),
        )


def skew_of(micros: str) -> int:
    """Milliseconds by which Redis's clock, as it has just been read, is ahead of this host's."""
    return int(micros) // 1000 - time.time_ns() // 1_000_000


def states_of(flat: Iterable[str], skew: int) -> Mapping[str, State]:
    return {name: state_of(line, skew) for name, line in pairs_of(flat)}


def pauses_of(flat: Iterable[str]) -> Mapping[str, Paused]:
    return {channel: Paused(**json.loads(line)) for channel, line in pairs_of(flat)}


def pairs_of(flat: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Pair what a script gave of a hash: field, value, field, value."""
    one = iter(flat)
    return zip(one, one, strict=True)


def state_of(line: str, skew: int) -> State:
    known: dict[str, Any] = json.loads(line)
    reason = known.get("reason")
    return State(
        Phase(known["phase"]),
        Reason(reason) if reason else None,
        known.get("detail", ""),
        int(known["since"]) - skew if "since" in known else 0,
        int(known["until"]) - skew if "until" in known else 0,
        int(known.get("successes", 0)),
    )


def events_of(lines: Iterable[str], skew: int) -> tuple[Event, ...]:
    return tuple(event_of(line, skew) for line in lines)


def event_of(line: str, skew: int) -> Event:
    known: dict[str, Any] = json.loads(line)
    reason, was = known.get("reason"), known.get("was")
    return Event(
        int(known["at"]) - skew,
        known["channel"],
        known["operation"],
        Phase(known["before"]),
        Phase(known["after"]),
        Reason(reason) if reason else None,
        known.get("detail", ""),
        Reason(was) if was else None,
    )


def _turned(field: str) -> tuple[str, str, Phase]:
    channel, operation, phase = field.split("|")
    return channel, operation, Phase(phase)
