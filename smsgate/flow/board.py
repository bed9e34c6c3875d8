"""Each channel as an operator looks at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from smsgate.ledger.channel_health import ChannelHealth, Known
from smsgate.ledger.channel_states import ChannelStates
from smsgate.routing.breaker import CLOSED, SEND, Event, Phase, State, name_of
from smsgate.routing.health import Health
from smsgate.routing.traffic import Kind

# Seconds that the figures are about, and of a receipt's share: receipts take a while to come.
LATELY: Final = 60
RECEIPTS: Final = 900


@dataclass(frozen=True, slots=True)
class ChannelBoard:
    """A channel for the operator: times in Unix ms (`since`, 0 where never changed), or in seconds.

    Shares are of 1, None where nothing was counted. `breakers` are those of operations that are not closed.
    """

    state: Phase
    reason: str
    detail: str
    paused: str | None
    weight: float
    success: float | None
    p50: float | None
    p95: float | None
    receipts: float | None
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
    lately, longer = _by_channel(health.health(LATELY)), _by_channel(health.health(RECEIPTS))
    events, errors = states.events(), health.errors()
    all_names = {*names, *longer, *errors, *known.pauses, *(one.partition("|")[0] for one in known.states)}
    return {
        name: replace(
            _board(name, known, lately.get(name, Health()), longer.get(name, Health())),
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


def _by_channel(health: Mapping[Kind, Health]) -> dict[str, Health]:
    total: dict[str, Health] = {}
    for (channel, _), one in health.items():
        total.setdefault(channel, Health()).add(one)
    return total


def _told(name: str, events: Sequence[Event]) -> dict[str, Any]:
    own = [event for event in events if event.channel == name]
    return {"events": own, "since": next((event.at for event in own if event.operation == SEND), 0)}


def _board(name: str, known: Known, lately: Health, longer: Health) -> ChannelBoard:
    state = known.states.get(name_of(name, SEND), CLOSED)
    pause = known.pauses.get(name)
    return ChannelBoard(
        state=state.phase,
        reason=state.reason or "",
        detail=state.detail,
        paused=pause.reason if pause else None,
        weight=mean_weight(known, name),
        success=lately.success,
        p50=lately.latency(0.5),
        p95=lately.latency(0.95),
        receipts=longer.arrival,
        receipt_delay=longer.delay(0.5),
        calls_per_second=lately.calls / LATELY,
        throttled=lately.throttled,
        breakers={one.partition("|")[2]: of for one, of in known.states.items() if one.startswith(f"{name}|")},
    )
