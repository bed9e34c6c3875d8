"""The channels by which a message may leave, and in which order they are tried."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smsgate.channels.channel import Channel
from smsgate.errors import InvalidMessage
from smsgate.ledger.record import Record
from smsgate.message import Lane, Message
from smsgate.phone import Phone
from smsgate.routing.carriers import carrier_of, country_of
from smsgate.routing.pick import order, standing
from smsgate.routing.profile import Profile
from smsgate.routing.table import Rule, Strategy, Table
from smsgate.routing.traits import Traits

# What a message is claimed for that no channel carries.
NOBODY: Final = ("",)


@dataclass(frozen=True, slots=True)
class Way:
    """A channel, and what is declared of it."""

    channel: Channel
    profile: Profile

    @property
    def name(self) -> str:
        return self.profile.name


@dataclass(frozen=True, slots=True)
class Network:
    """All ways, and the rules by which messages take them."""

    ways: Mapping[str, Way]
    table: Table

    @classmethod
    def of(cls, ways: Sequence[Way], rules: Sequence[Rule] = ()) -> "Network":
        return cls({way.name: way for way in ways}, Table(rules, [way.profile for way in ways]))


@dataclass(frozen=True, slots=True)
class Plan:
    """The channels to claim a message for, of which little is known yet; `rule` is the one that put them in order.

    With `turns` the number that a code goes to is given, because it should get each of its codes by another channel.
    """

    channels: tuple[str, ...]
    rule: Rule | None = None
    turns: Phone | None = None


class Ways:
    """The ways of this process, which change when others are declared."""

    def __init__(self, network: Network, renewed: Callable[[], Network | None] = lambda: None) -> None:
        """Take what is declared now; `renewed` gives what is declared since, and costs next to nothing."""
        self._network = network
        self._renewed: Final = renewed
        self._rng: Final = random.Random()  # noqa: S311 - it spreads load

    @property
    def network(self) -> Network:
        self._network = self._renewed() or self._network
        return self._network

    def plan(self, lane: Lane, read: Callable[[], Message] | None = None) -> Plan:
        """Say which channels a message may be claimed for; `read` makes it of its task's arguments.

        Its record may know more: which client it is of. So `by` has the last word. Without `read`, as for a chunk of
        which nothing is known before it is claimed, one is drawn by lot.
        """
        network = self.network
        if len(network.ways) == 1:
            return Plan(tuple(network.ways))
        message = _readable(read)
        if message is None:
            profiles = [profile for profile in network.table.profiles if lane in profile.lanes]
            return Plan(tuple(self._in_order(Strategy.WEIGHTED, profiles)) or NOBODY)
        traits = traits_of(message)
        rule = network.table.rule_for(traits)
        names = tuple(self._in_order(rule.strategy, network.table.candidates(traits)))
        alternates = rule.alternate and lane is Lane.OTP and len(names) > 1
        return Plan(names or NOBODY, rule, message.to if alternates else None)

    def by(self, records: Sequence[Record], plan: Plan, first: str) -> list[tuple[list[int], Sequence[Way]]]:
        """Part messages by the ways that they may take, given in order: which of `records`, and their ways.

        What was claimed for the channel `first` stays there where it may, so that it need not be noted anew.
        """
        network = self.network
        parts: dict[tuple[Strategy, tuple[str, ...], bool], list[int]] = {}
        for place, record in enumerate(records):
            if record.message is not None:
                traits = traits_of(record.message, record.client)
                rule = network.table.rule_for(traits)
                stays = rule is plan.rule or (plan.rule is None and rule.strategy is Strategy.WEIGHTED)
                names = tuple(profile.name for profile in network.table.candidates(traits))
                parts.setdefault((rule.strategy, names, stays), []).append(place)
        return [(places, self._from(network, *which, first)) for which, places in parts.items()]

    def _from(
        self, network: Network, strategy: Strategy, names: Sequence[str], stays: bool, first: str
    ) -> Sequence[Way]:
        ordered = self._in_order(strategy, [network.ways[name].profile for name in names])
        if stays:
            ordered.sort(key=lambda name: name != first)
        return [network.ways[name] for name in ordered]

    def named(self, name: str | None) -> Way | None:
        """Find a channel by its name, the only one without; None when it is not declared any more."""
        ways = self.network.ways
        if name is None and len(ways) == 1:
            return next(iter(ways.values()))
        return ways.get(name or "")

    def _in_order(self, strategy: Strategy, profiles: Sequence[Profile]) -> list[str]:
        return order(strategy, [standing(profile) for profile in profiles], self._rng) if profiles else []


def _readable(read: Callable[[], Message] | None) -> Message | None:
    try:
        return read() if read else None
    except InvalidMessage:
        return None


def traits_of(message: Message, client: str = "") -> Traits:
    """Describe a message to the routing table."""
    return Traits(
        lane=message.lane,
        template=message.template,
        phone=message.to,
        country=country_of(message.to),
        carrier=carrier_of(message.to),
        client=client,
        sign=message.sign,
    )
