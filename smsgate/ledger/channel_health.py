"""How calls of channels end and how long they take, over all processes; and the pulse that keeps these in touch."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import redis

from smsgate.ledger import keys
from smsgate.ledger.act import Act
from smsgate.ledger.channel_states import Paused, events_of, pairs_of, pauses_of, skew_of, states_of
from smsgate.ledger.connection import border
from smsgate.routing.breaker import BreakerRule, Calls, Event, State
from smsgate.routing.health import Health
from smsgate.routing.traffic import Kind


@dataclass(slots=True)
class Counts:
    """What a process has counted since its last pulse.

    `calls` are by breaker, `errors` the latest by channel (when, Unix ms, and what); health is by kind with a
    metric behind: in the slice at hand, and `then`, by slice. `since` is of `time.monotonic`.
    """

    calls: dict[str, Calls] = field(default_factory=dict)
    errors: dict[str, tuple[int, str]] = field(default_factory=dict)
    present: dict[str, int] = field(default_factory=dict)
    then: dict[int, dict[str, int]] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)

    def __bool__(self) -> bool:
        return bool(self.calls or self.errors or self.present or self.then)

    def add(self, later: "Counts") -> None:
        """Add what was counted after it."""
        for name, calls in later.calls.items():
            self.calls.setdefault(name, Calls()).add(calls)
        self.errors.update(later.errors)
        _add(self.present, later.present)
        for number, fields in later.then.items():
            _add(self.then.setdefault(number, {}), fields)


@dataclass(frozen=True, slots=True)
class Known:
    """What a process knows of all channels; what is not among `states` is closed. `order` as in `Turn`."""

    states: Mapping[str, State] = field(default_factory=dict)
    pauses: Mapping[str, Paused] = field(default_factory=dict)
    weights: Mapping[Kind, float] = field(default_factory=dict)
    order: int = 0


class ChannelHealth:
    """The shared counts in one Redis. Everything here raises StoreUnavailable."""

    def __init__(self, client: redis.Redis, rule: BreakerRule) -> None:
        self._redis = client
        self._pulse = Act(client, "pulse")
        self._rule = (
            keys.CALLS_IN, rule.window, rule.least_calls, str(rule.share), int(rule.sleep * 1000),
            keys.HEALTH_IN, keys.HEALTH_SLICE, keys.HEALTH_TTL,
        )  # fmt: skip

    def pulse(self, counts: Counts) -> tuple[Known, tuple[Event, ...]]:
        """Hand in what was counted; returns how all channels stand now, and the breakers that this has opened."""
        names = [
            keys.BREAKERS, keys.CHANNELS_PAUSED, keys.CHANNEL_WEIGHTS,
            keys.BREAKER_EVENTS, keys.BREAKER_TURNS, keys.CHANNEL_ERRORS, keys.CALLS_SINCE_WELL,
        ]  # fmt: skip
        with border():
            micros, states, pauses, weights, events = self._pulse(names, [*self._rule, *_laid_out(counts)])
        skew = skew_of(micros)
        known = Known(states_of(states, skew), pauses_of(pauses), _weights_of(weights), int(micros))
        return known, events_of(events, skew)

    def slices(self, seconds: int, now: float | None = None) -> list[tuple[int, dict[Kind, Health]]]:
        """Read the last `seconds`, at most `keys.HEALTH_TTL`, by slices of `keys.HEALTH_SLICE`; the oldest first.

        Each comes with its beginning in Unix seconds of Redis, as `now` is where it is known. Receipts stand in the
        slice in which their messages were sent.
        """
        last = int(self.time() if now is None else now) // keys.HEALTH_SLICE
        numbers = range(last - min(seconds, keys.HEALTH_TTL) // keys.HEALTH_SLICE, last + 1)
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for number in numbers:
                pipe.hgetall(f"{keys.HEALTH_IN}{number}")
            known = cast("list[dict[str, str]]", pipe.execute())
        return [
            (number * keys.HEALTH_SLICE, health_of(counted))
            for number, counted in zip(numbers, known, strict=True)
            if counted
        ]

    def health(self, seconds: int) -> dict[Kind, Health]:
        """Add up the last `seconds`."""
        total: dict[Kind, Health] = {}
        for _, slice_ in self.slices(seconds):
            for kind, health in slice_.items():
                total.setdefault(kind, Health()).add(health)
        return total

    def time(self) -> int:
        """Read Redis's own time, in Unix seconds."""
        with border():
            return self._redis.time()[0]

    def errors(self) -> dict[str, tuple[int, str]]:
        """Read the latest error of each channel: when it was (Unix ms), and what."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.CHANNEL_ERRORS))
        parts = {channel: line.partition("|") for channel, line in known.items()}
        return {channel: (int(at), what) for channel, (at, _, what) in parts.items()}


def health_of(counted: Mapping[str, str]) -> dict[Kind, Health]:
    """Read a slice as it is stored: CHANNEL|CARRIER|CLASS|METRIC."""
    known: dict[Kind, Health] = {}
    for name, count in counted.items():
        kind, metric = _counted_as(name)
        health = known.get(kind)
        if health is None:
            health = known[kind] = Health()
        health.count(metric, int(count))
    return known


@lru_cache(maxsize=4096)
def _counted_as(name: str) -> tuple[Kind, str]:
    kind, _, metric = name.rpartition("|")
    return Kind.read(kind), metric


def _weights_of(flat: Any) -> dict[Kind, float]:
    return {Kind.read(name): float(weight) for name, weight in pairs_of(flat)}


def _laid_out(counts: Counts) -> Iterator[str | int]:
    yield len(counts.calls)
    for name, calls in counts.calls.items():
        yield from (name, calls.ok, calls.failed, calls.slow)
    yield len(counts.errors)
    for channel, (at, what) in counts.errors.items():
        yield from (channel, f"{at}|{what}")
    slices: list[tuple[int | str, dict[str, int]]] = [("", counts.present), *counts.then.items()]
    for number, fields in slices:
        if fields:
            yield from (number, len(fields))
            for name, by in fields.items():
                yield from (name, by)


def _add(counted: dict[str, int], more: Mapping[str, int]) -> None:
    for name, by in more.items():
        counted[name] = counted.get(name, 0) + by
