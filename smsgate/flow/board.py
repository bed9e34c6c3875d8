"""Each channel as an operator looks at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from smsgate.ledger.channel_health import ChannelHealth, Known
from smsgate.ledger.channel_states import ChannelStates, Paused
from smsgate.ledger.keys import HEALTH_SLICE
from smsgate.routing.breaker import CLOSED, SEND, Event, Phase, State, name_of
from smsgate.routing.health import Health
from smsgate.routing.observed import RECEIPT_DUE
from smsgate.routing.traffic import Kind, Traffic

# Seconds that the figures of calls are about, and those of messages whose receipts are due by now.
LATELY: Final = 60
RECEIPTS: Final = 300


@dataclass(frozen=True, slots=True)
class KindBoard:
    """What goes through a channel, of one class to one carrier.

    `lately` is what was called in the last `LATELY` seconds, `due` what was sent in the last `RECEIPTS` and long enough
    ago for a receipt to be here.
    """

    weight: float
    lately: Health = field(default_factory=Health)
    due: Health = field(default_factory=Health)


@dataclass(frozen=True, slots=True)
class ChannelBoard:
    """A channel for the operator: times in Unix ms (`since`, 0 where never changed), or in seconds.

    Shares are of 1, None where nothing was counted: `receipts` of receipts that say delivered, `delivered` of all
    messages. `weight` is that of its average message. `breakers` are those of operations that are not closed.
    """

    state: Phase
    reason: str
    detail: str
    paused: Paused | None
    weight: float
    kinds: Mapping[Traffic, KindBoard]
    success: float | None
    p50: float | None
    p95: float | None
    receipts: float | None
    delivered: float | None
    receipt_delay: float | None
    calls_per_second: float
    throttled: int
    since: int = 0
    last_error: tuple[int, str] | None = None
    breakers: Mapping[str, State] = field(default_factory=dict)
    events: Sequence[Event] = ()


def board_of(
    names: Iterable[str], known: Known, states: ChannelStates, health: ChannelHealth
) -> Mapping[str, ChannelBoard]:
    """Lay out what is shared of all channels: those named, and those that anything is known of.

    Raises:
        StoreUnavailable: Redis is away.
    """
    seen = _seen(known, health)
    events, errors = states.events(), health.errors()
    all_names = {*names, *seen, *errors, *known.pauses, *(one.partition("|")[0] for one in known.states)}
    return {
        name: replace(
            _board(name, known, seen.get(name, {})),
            last_error=errors.get(name),
            **_told(name, events),
        )
        for name in sorted(all_names)
    }


def weight_of(known: Known, kind: Kind) -> float:
    """Look up a weight; of a kind without one, that of its class whatever the carrier; 1 where nothing is known."""
    weight = known.weights.get(kind)
    return known.weights.get(kind.over_all_carriers, 1.0) if weight is None else weight


def mean_weight(known: Known, channel: str) -> float:
    """Average a channel's weights over all that goes through it; 1 where nothing is known."""
    weights = [weight for (name, _), weight in known.weights.items() if name == channel]
    return sum(weights) / len(weights) if weights else 1.0


def _seen(known: Known, health: ChannelHealth) -> dict[str, dict[Traffic, KindBoard]]:
    """Read what was counted, by channel and what goes through it."""
    found: dict[Kind, KindBoard] = {kind: KindBoard(weight) for kind, weight in known.weights.items()}
    now = health.time()
    for began, slice_ in health.slices(RECEIPTS, now):
        for kind, counted in slice_.items():
            one = found.setdefault(kind, KindBoard(weight_of(known, kind)))
            if began > now - LATELY:
                one.lately.add(counted)
            if began <= now - RECEIPT_DUE - HEALTH_SLICE:
                one.due.add(counted)
    seen: dict[str, dict[Traffic, KindBoard]] = {}
    for kind in sorted(found, key=str):
        seen.setdefault(kind.channel, {})[kind.traffic] = found[kind]
    return seen


def _average(name: str, known: Known, kinds: Iterable[KindBoard]) -> float:
    """Weigh each kind by how much of it there is; where there is nothing, all the same."""
    sizes = [(kind.weight, max(kind.lately.calls, kind.lately.sent)) for kind in kinds]
    total = sum(size for _, size in sizes)
    return sum(weight * size for weight, size in sizes) / total if total else mean_weight(known, name)


def _sum(parts: Iterable[Health]) -> Health:
    total = Health()
    for part in parts:
        total.add(part)
    return total


def _told(name: str, events: Sequence[Event]) -> dict[str, Any]:
    own = [event for event in events if event.channel == name]
    return {"events": own, "since": next((event.at for event in own if event.operation == SEND), 0)}


def _board(name: str, known: Known, kinds: Mapping[Traffic, KindBoard]) -> ChannelBoard:
    state = known.states.get(name_of(name, SEND), CLOSED)
    lately, due = _sum(one.lately for one in kinds.values()), _sum(one.due for one in kinds.values())
    return ChannelBoard(
        state=state.phase,
        reason=state.reason or "",
        detail=state.detail,
        paused=known.pauses.get(name),
        weight=_average(name, known, kinds.values()),
        kinds=kinds,
        success=lately.success,
        p50=lately.latency(0.5),
        p95=lately.latency(0.95),
        receipts=due.arrival,
        delivered=due.deliveries,
        receipt_delay=due.delay(0.5),
        calls_per_second=lately.calls / LATELY,
        throttled=lately.throttled,
        breakers={one.partition("|")[2]: of for one, of in known.states.items() if one.startswith(f"{name}|")},
    )
