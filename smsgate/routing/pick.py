"""The order in which a message tries the channels that can carry it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, assert_never

from smsgate.routing.profile import Profile
from smsgate.routing.table import Strategy

# A channel of less health than this is passed over by the strategies that have a favourite: half its traffic is lost.
WELL: Final = 0.5
# The share of messages that an ill channel is given by them all the same: without any it could not be seen to be well.
# The same as what the weights leave it (smsgate.routing.weights.FLOOR).
LOOK_AGAIN: Final = 0.02


@dataclass(frozen=True, slots=True)
class Standing:
    """What speaks for a channel now: its declared `weight` and `cost`, its `health` 0..1, and whether it may be called.

    `available` is false while its breaker is open, it is paused, or its rate is used up.
    """

    name: str
    weight: float = 1.0
    cost: float = 0.0
    health: float = 1.0
    available: bool = True

    @property
    def well(self) -> bool:
        return self.health >= WELL

    @property
    def share(self) -> float:
        return self.weight * self.health


def standing(profile: Profile, *, health: float = 1.0, available: bool = True) -> Standing:
    """Put what is declared of a channel together with what is known of it."""
    return Standing(profile.name, profile.weight, profile.cost, health, available)


def order(strategy: Strategy, standings: Sequence[Standing], rng: Random, lately: Sequence[str] = ()) -> list[str]:
    """Put all candidates in order, the first to try first; those that cannot be called now come last.

    - priority: as declared, those that are ill after those that are well;
    - weighted: by lot, by declared weight × health;
    - least_cost: the cheapest that is well, by lot among equals; the ill ones after them;
    - best_health: the healthiest, by lot among equals.

    `lately` names the channels that this phone's last codes took, the latest first. Who asks again has most likely not
    got them: those channels are tried after the others, the latest last of all.
    """
    if len(standings) == 1:
        return [standings[0].name]
    ordered = _by_strategy(strategy, standings, rng)
    if strategy is not Strategy.WEIGHTED:
        ordered = _looked_at_again(ordered, rng)
    age = {name: place for place, name in reversed(list(enumerate(lately)))}
    ordered.sort(key=lambda one: (not one.available, -age.get(one.name, len(age) + len(lately))))
    return [one.name for one in ordered]


def _by_strategy(strategy: Strategy, standings: Sequence[Standing], rng: Random) -> list[Standing]:
    match strategy:
        case Strategy.WEIGHTED:
            return _drawn(standings, rng, lambda one: one.share)
        case Strategy.PRIORITY:
            return sorted(standings, key=lambda one: not one.well)
        case Strategy.LEAST_COST:
            drawn = _drawn(standings, rng, lambda one: one.share)
            return sorted(drawn, key=lambda one: (0, one.cost) if one.well else (1, -one.health))
        case Strategy.BEST_HEALTH:
            drawn = _drawn(standings, rng, lambda one: one.weight)
            # Two digits: a difference below the weights' own dead band says nothing.
            return sorted(drawn, key=lambda one: -round(one.health, 2))
        case _:
            assert_never(strategy)


def _drawn(standings: Sequence[Standing], rng: Random, share: Callable[[Standing], float]) -> list[Standing]:
    """Draw all, one after the other, by share: ascending by -ln(u)/share, by Efraimidis and Spirakis (2006)."""

    def key(one: Standing) -> float:
        weight = share(one)
        return -math.log(1.0 - rng.random()) / weight if weight > 0 else math.inf

    keyed = [(key(one), place) for place, one in enumerate(standings)]
    return [standings[place] for _, place in sorted(keyed)]


def _looked_at_again(ordered: list[Standing], rng: Random) -> list[Standing]:
    """Put an ill channel first now and then."""
    ill = [one for one in ordered if one.available and not one.well]
    if not ill or ill[0] is ordered[0] or rng.random() >= LOOK_AGAIN:
        return ordered
    tried = rng.choice(ill)
    return [tried, *(one for one in ordered if one is not tried)]
