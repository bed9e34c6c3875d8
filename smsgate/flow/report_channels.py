"""What an operator is told of channels: one object for each, whose names scripts may rely on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from smsgate.flow.board import LATELY, ChannelBoard, KindBoard, board_of
from smsgate.flow.report import moment
from smsgate.ledger.channel_health import ChannelHealth, Counts
from smsgate.ledger.channel_states import ChannelStates
from smsgate.ledger.pace import Rate
from smsgate.ledger.pacing import Pacer
from smsgate.routing.breaker import SEND, Event, State
from smsgate.routing.profile import Profile
from smsgate.routing.traffic import Traffic


def report_channels(
    profiles: Sequence[Profile], states: ChannelStates, health: ChannelHealth, pacer: Pacer
) -> list[dict[str, Any]]:
    """Tell all channels: those declared, in their order, and after them those of which Redis knows something still.

    Raises:
        StoreUnavailable: Redis is away.
    """
    declared = {profile.name: profile for profile in profiles}
    known, _ = health.pulse(Counts())
    board = board_of(declared, known, states, health)
    rates = pacer.rates(board)
    names = [*declared, *(name for name in board if name not in declared)]
    return [_told(name, declared.get(name), board[name], rates[name]) for name in names]


def _told(name: str, profile: Profile | None, board: ChannelBoard, rate: Rate) -> dict[str, Any]:
    weight = profile.weight if profile else 0.0
    return {
        "name": name,
        "provider": profile.provider if profile else None,
        "declared": profile is not None,
        **_standing(board),
        "weight": round(weight * board.weight, 4),
        "declared_weight": weight,
        "health": round(board.weight, 4),
        "success": _share(board.success),
        "p50_ms": _ms(board.p50),
        "p95_ms": _ms(board.p95),
        "delivered": _share(board.delivered),
        "receipt_delay_seconds": _seconds(board.receipt_delay),
        "calls_per_second": round(board.calls_per_second, 2),
        "throttled": board.throttled,
        "rate": _rate(profile, rate),
        "last_error": _error(board.last_error),
        "kinds": [_kind(traffic, kind) for traffic, kind in board.kinds.items()],
    }


def _standing(board: ChannelBoard) -> dict[str, Any]:
    pause, breakers = board.paused, board.breakers
    return {
        "state": "paused" if pause else board.state,
        "breaker": _breaker(breakers.get(SEND, State())),
        "paused": {"reason": pause.reason, "since": moment(pause.at)} if pause else None,
        "questions": _breaker(next((state for name, state in breakers.items() if name != SEND), State())),
    }


def _breaker(state: State) -> dict[str, Any]:
    return {
        "state": state.phase,
        "reason": state.reason,
        "detail": state.detail,
        "since": moment(state.since) if state.since else None,
        "until": moment(state.until) if state.until else None,
    }


def _rate(profile: Profile | None, rate: Rate) -> dict[str, float | None]:
    """Tell the rates; one at which nothing was called yet is as it is declared."""
    declared = profile.pace if profile else rate.declared
    effective = declared if rate.effective is None or declared is None else min(declared, rate.effective)
    return {
        "declared": declared,
        "effective": None if effective is None else round(effective, 2),
        "used": round(rate.used, 2),
    }


def _kind(traffic: Traffic, kind: KindBoard) -> dict[str, Any]:
    return {
        "carrier": traffic.carrier,
        "lanes": traffic.klass,
        "health": round(kind.weight, 4),
        "success": _share(kind.lately.success),
        "p50_ms": _ms(kind.lately.latency(0.5)),
        "p95_ms": _ms(kind.lately.latency(0.95)),
        "delivered": _share(kind.due.deliveries),
        "receipt_delay_seconds": _seconds(kind.due.delay(0.5)),
        "calls_per_second": round(kind.lately.calls / LATELY, 2),
        "throttled": kind.lately.throttled,
    }


def report_events(events: Iterable[Event]) -> list[Mapping[str, Any]]:
    """Tell what became of breakers."""
    return [
        {
            "at": moment(event.at),
            "channel": event.channel,
            "operation": event.operation,
            "before": event.before,
            "after": event.after,
            "reason": event.reason,
            "detail": event.detail,
        }
        for event in events
    ]


def _error(error: tuple[int, str] | None) -> dict[str, str] | None:
    return {"at": moment(error[0]), "what": error[1]} if error else None


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
