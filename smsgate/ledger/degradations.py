"""The level of degradation in one Redis: what the rule and hands have come to, for all processes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.message import Lane
from smsgate.routing.degradation import Degradation, Fixed, Hold, Level

MOST_CHANGES: Final = 50
_STATE: Final = "state"
_KNOWN: Final = frozenset(field.name for field in fields(Degradation))


@dataclass(frozen=True, slots=True)
class Known:
    """The state as it stands, `raw` as Redis has it, and the lanes that a hand lets go whatever the level."""

    state: Degradation
    raw: str = ""
    let_go: frozenset[Lane] = frozenset()

    def hold_of(self, lane: Lane, now: int) -> Hold:
        return Hold.GOES if lane in self.let_go else self.state.level_at(now).hold_of(lane)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the level; `at` in Unix milliseconds, `by` the rule or a hand."""

    at: int
    before: Level
    after: Level
    by: str
    why: str


class Degradations:
    """The level in one Redis. Everything here raises StoreUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._set = client.register_script(scripts.source("set_degradation"))

    def read(self) -> Known:
        with border():
            return known_of(cast("dict[str, str]", self._redis.hgetall(keys.DEGRADATION)))

    def replace(self, known: Known, state: Degradation, change: Change | None) -> bool:
        """Store what follows from what was read; False when somebody was faster, and nothing is stored.

        What a hand has let go is forgotten where the new level does not hold it, and where a hand sets the level anew.
        """
        is_anew = state.fixed is not None and state.fixed != known.state.fixed
        freed = [lane for lane in Lane if is_anew or state.level.hold_of(lane) is Hold.GOES]
        with border():
            stored = self._set(
                keys=[keys.DEGRADATION, keys.DEGRADATION_CHANGES],
                args=[
                    *(known.raw, _written(asdict(state)), _written(asdict(change)) if change else "", MOST_CHANGES),
                    *map(_let_go, freed),
                ],
            )
        return bool(stored)

    def let_go(self, lane: Lane) -> None:
        """Let a lane go until the level does not hold it any more."""
        with border():
            self._redis.hset(keys.DEGRADATION, _let_go(lane), "1")

    def changes(self) -> list[Change]:
        """Read the latest changes, the newest first."""
        with border():
            lines = cast("list[str]", self._redis.lrange(keys.DEGRADATION_CHANGES, 0, -1))
        return [_change(json.loads(line)) for line in lines]


def known_of(stored: Mapping[str, str]) -> Known:
    """Read the hash `keys.DEGRADATION`."""
    raw = stored.get(_STATE, "")
    return Known(
        _state(json.loads(raw)) if raw else Degradation(),
        raw,
        frozenset(lane for lane in Lane if _let_go(lane) in stored),
    )


def _state(stored: Mapping[str, Any]) -> Degradation:
    known = {name: value for name, value in stored.items() if name in _KNOWN}
    fixed = known.pop("fixed", None)
    return Degradation(
        **{**known, "rule_level": Level(known["rule_level"])},
        fixed=Fixed(**{**fixed, "level": Level(fixed["level"])}) if fixed else None,
    )


def _change(stored: Mapping[str, Any]) -> Change:
    return Change(**{**stored, "before": Level(stored["before"]), "after": Level(stored["after"])})


def _let_go(lane: Lane) -> str:
    return f"go:{lane}"


def _written(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
