"""The channels by which a message may leave, and in which order they are tried."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smsgate.channels.channel import Channel
from smsgate.errors import InvalidMessage
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.watch import Watch
from smsgate.ledger.record import Record
from smsgate.message import Lane, Message
from smsgate.phone import Phone
from smsgate.routing.breaker import Phase
from smsgate.routing.carriers import carrier_of, country_of
from smsgate.routing.pick import Standing, order, standing
from smsgate.routing.profile import Profile
from smsgate.routing.table import Rule, Strategy, Table
from smsgate.routing.traffic import Traffic
from smsgate.routing.traits import Traits

# Milliseconds between two messages that one process sends to a channel as probes.
_BETWEEN_PROBES: Final = 250
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
    Where none of the channels may be called now, `until` (Unix ms) is when the first of them may be asked again.
    """

    channels: tuple[str, ...]
    rule: Rule | None = None
    turns: Phone | None = None
    until: int | None = None


class Ways:
    """The ways of this process, which change when others are declared."""

    def __init__(
        self,
        network: Network,
        watch: Watch,
        renewed: Callable[[], Network | None] = lambda: None,
        now: Clock = system_clock,
    ) -> None:
        """Take what is declared now; `renewed` gives what is declared since, and costs next to nothing."""
        self._network = network
        self._watch: Final = watch
        self._renewed: Final = renewed
        self._now: Final = now
        self._latest: Final[dict[Lane, Rule]] = {}
        self._probed: Final[dict[str, int]] = {}  # when each channel was last given a message as a probe, Unix ms
        self._rng: Final = random.Random()  # noqa: S311 - it spreads load

    @property
    def network(self) -> Network:
        self._network = self._renewed() or self._network
        return self._network

    def plan(self, lane: Lane, read: Callable[[], Message] | None = None) -> Plan:
        """Say which channels a message may be claimed for; `read` makes it of its task's arguments.

        Its record may know more: which client it is of. So `by` has the last word. Of a chunk nothing is known before
        it is claimed: without `read` the plan is as for the one before.
        """
        network = self.network
        if len(network.ways) == 1:
            names = tuple(network.ways)
            return Plan(names, until=self._closed_until(names))
        message = _readable(read)
        if message is None:
            return self._plan_as_last(network, lane)
        traits = traits_of(message)
        rule = network.table.rule_for(traits)
        names = tuple(self._in_order(rule.strategy, network.table.candidates(traits), _traffic(traits)))
        until = self._closed_until(names)
        # A channel that cannot be called takes no turn.
        open_ones = tuple(name for name in names if self._is_free(name))
        if rule.alternate and lane is Lane.OTP and len(open_ones) > 1:
            return Plan(open_ones, rule, message.to, until)
        return Plan(names or NOBODY, rule, until=until)

    def _plan_as_last(self, network: Network, lane: Lane) -> Plan:
        """Plan by the rule that the lane's latest chunk went by, most likely the next one's."""
        rule = self._latest.get(lane, network.table.last)
        if rule not in network.table.rules:
            rule = network.table.last
        named = [network.ways[name].profile for name in rule.channels]
        names = self._in_order(rule.strategy, [one for one in named if lane in one.lanes], Traffic.of(lane))
        return Plan(tuple(names) or NOBODY, rule, until=self._closed_until(names))

    def _closed_until(self, names: Sequence[str]) -> int | None:
        """Say until when none of the channels may be called; one that is merely slow may."""
        standings = [self._watch.peek(name) for name in names]
        now = self._now()
        if not standings or any(one.is_slow or one.may_be_called(now) for one in standings):
            return None
        return min(one.until_ms for one in standings)

    def by(self, records: Sequence[Record], plan: Plan, first: str) -> list[tuple[list[int], Sequence[Way]]]:
        """Part messages by the ways that they may take, given in order: which of `records`, and their ways.

        What was claimed for the channel `first` stays there where it may, so that it need not be noted anew.
        """
        network = self.network
        parts: dict[tuple[Strategy, tuple[str, ...], bool, Traffic], list[int]] = {}
        for place, record in enumerate(records):
            if record.message is not None:
                traits = traits_of(record.message, record.client)
                rule = network.table.rule_for(traits)
                stays = rule is plan.rule
                self._latest[record.lane] = rule
                names = tuple(profile.name for profile in network.table.candidates(traits))
                kind = (
                    _traffic(traits) if len(names) > 1 and not (stays and first in names) else Traffic.of(traits.lane)
                )
                parts.setdefault((rule.strategy, names, stays, kind), []).append(place)
        return [(places, self._from(network, *which, first)) for which, places in parts.items()]

    def _from(  # noqa: PLR0913, PLR0917 - all that parts messages
        self, network: Network, strategy: Strategy, names: Sequence[str], stays: bool, kind: Traffic, first: str
    ) -> Sequence[Way]:
        ordered = self._in_order(strategy, [network.ways[name].profile for name in names], kind)
        if stays:
            ordered.sort(key=lambda name: name != first)
        return [network.ways[name] for name in ordered]

    def _is_free(self, name: str) -> bool:
        known = self._watch.peek(name)
        return known.phase is Phase.CLOSED and not known.is_stalled and not known.is_paused

    def is_whole(self, way: Way) -> bool:
        """Say whether a channel may be called by anybody, and not only by a probe."""
        return self._watch.peek(way.name).phase is Phase.CLOSED

    def released(self, lane: Lane, most: int) -> int:
        """Say how many messages of a lane may be given to its channels now: one where they can only be probed."""
        names = [profile.name for profile in self.network.table.profiles if lane in profile.lanes]
        now = self._now()
        standings = [self._watch.peek(name) for name in names]
        if not standings or any(one.is_slow or (one.phase is Phase.CLOSED and not one.is_paused) for one in standings):
            return most
        return int(any(one.may_be_called(now) for one in standings))

    def named(self, name: str | None) -> Way | None:
        """Find a channel by its name, the only one without; None when it is not declared any more."""
        ways = self.network.ways
        if name is None and len(ways) == 1:
            return next(iter(ways.values()))
        return ways.get(name or "")

    def _in_order(self, strategy: Strategy, profiles: Sequence[Profile], kind: Traffic) -> list[str]:
        if len(profiles) < 2:  # noqa: PLR2004 - there is nothing to choose
            return [profile.name for profile in profiles]
        now = self._now()
        standings = [self._standing(profile, kind, now) for profile in profiles]
        return order(strategy, standings, self._rng)

    def _standing(self, profile: Profile, kind: Traffic, now: int) -> Standing:
        known = self._watch.peek(profile.name, kind)
        is_open = known.phase is Phase.CLOSED or self._probes(profile.name, now)
        available = known.may_be_called(now) and is_open and not known.is_stalled
        return standing(profile, health=known.weight, available=available)

    def _probes(self, name: str, now: int) -> bool:
        """Send a message now and then to a channel that is to be probed: the others go where they surely may."""
        if now - self._probed.get(name, 0) < _BETWEEN_PROBES:
            return False
        self._probed[name] = now
        return True


def _traffic(traits: Traits) -> Traffic:
    return Traffic.of(traits.lane, traits.carrier)


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
