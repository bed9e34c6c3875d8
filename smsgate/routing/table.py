"""The routing table: which channels a message may leave by, and by which strategy one of them is taken."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import Annotated, Any, Final, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints

from smsgate.message import Lane
from smsgate.routing.carriers import Carrier
from smsgate.routing.declared import Declared
from smsgate.routing.profile import ChannelName, Profile
from smsgate.routing.traits import Traits

# Templates and clients are the callers' words: a table that remembered all would grow with them.
MOST_REMEMBERED: Final = 4096

T = TypeVar("T")
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=128)]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


OneOrMore = Annotated[tuple[T, ...], BeforeValidator(_listed), Field(min_length=1)]


class Strategy(StrEnum):
    """How one of several channels is taken; `smsgate.routing.pick` tells each."""

    PRIORITY = "priority"
    WEIGHTED = "weighted"
    LEAST_COST = "least_cost"
    BEST_HEALTH = "best_health"


class Rule(Declared):
    """Messages that meet every condition leave by one of `channels`; a condition is a value or a list of such.

    `template` is a glob such as `SMS_1*`. With `alternate` a code that is asked for again takes another channel than
    the last ones took.
    """

    lane: OneOrMore[Lane] | None = None
    country: OneOrMore[Region] | None = None
    carrier: OneOrMore[Carrier] | None = None
    client: OneOrMore[Word] | None = None
    template: OneOrMore[Word] | None = None
    channels: OneOrMore[ChannelName]
    strategy: Strategy = Strategy.WEIGHTED
    alternate: bool = True

    def fits(self, traits: Traits) -> bool:
        return (
            (self.lane is None or traits.lane in self.lane)
            and (self.country is None or traits.country in self.country)
            and (self.carrier is None or traits.carrier in self.carrier)
            and (self.client is None or traits.client in self.client)
            and (self.template is None or any(fnmatchcase(traits.template, glob) for glob in self.template))
        )


CONDITIONS: Final = ("lane", "country", "carrier", "client", "template")


class Table:
    """Rules over declared channels; whatever none of them fits leaves by any channel, by weight.

    What a rule or a channel asks for decides an answer, so that answers are remembered by that alone: 0.2 µs with one
    channel and no rule, whoever the message is for.
    """

    __slots__ = ("_asked", "_profiles", "_remembered", "last", "profiles", "rules")

    def __init__(self, rules: Sequence[Rule], profiles: Sequence[Profile]) -> None:
        self.rules: Final = tuple(rules)
        self.profiles: Final = tuple(profiles)
        self._profiles: Final[Mapping[str, Profile]] = {profile.name: profile for profile in profiles}
        self.last: Final = Rule.model_construct(channels=tuple(self._profiles))
        self._asked: Final = _what_is_asked(self.rules, self.profiles)
        self._remembered: Final[dict[Any, tuple[Rule, tuple[Profile, ...]]]] = {}

    def rule_for(self, traits: Traits) -> Rule:
        """Find the first rule that fits; `last` when none does."""
        return self._found(traits)[0]

    def candidates(self, traits: Traits) -> Sequence[Profile]:
        """Name the rule's channels that can carry the message, in the rule's order; none is a slip in the file."""
        return self._found(traits)[1]

    def _found(self, traits: Traits) -> tuple[Rule, tuple[Profile, ...]]:
        asked = self._asked(traits)
        found = self._remembered.get(asked)
        if found is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[asked] = self._look(traits)
        return found

    def _look(self, traits: Traits) -> tuple[Rule, tuple[Profile, ...]]:
        rule = next((rule for rule in self.rules if rule.fits(traits)), self.last)
        named = (self._profiles[name] for name in dict.fromkeys(rule.channels) if name in self._profiles)
        return rule, tuple(profile for profile in named if profile.can_carry(traits))


def _what_is_asked(rules: Sequence[Rule], profiles: Sequence[Profile]) -> Callable[[Traits], Any]:
    asked = {"lane", "country"}
    asked.update(name for name in CONDITIONS if any(getattr(rule, name) is not None for rule in rules))
    if any(profile.templates for profile in profiles):
        asked.add("template")
    if any(profile.signs for profile in profiles):
        asked.add("sign")
    return attrgetter(*sorted(asked))
