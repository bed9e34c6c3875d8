"""Which way a message would take now: the rule that fits it, and its channels in order, each with its reasons."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from smsgate.flow.board import weight_of
from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.channel_health import Known
from smsgate.routing.breaker import CLOSED, SEND, Phase, State, name_of
from smsgate.routing.pick import Standing, order, standing
from smsgate.routing.profile import Profile
from smsgate.routing.table import CONDITIONS, Rule, Strategy, Table
from smsgate.routing.traffic import Kind, Traffic
from smsgate.routing.traits import Traits


def report_route(table: Table, known: Known, traits: Traits, now: Clock = system_clock) -> dict[str, Any]:
    """Tell the way of a message; the number is masked.

    The order is one of those that chance gives; `share` is a channel's part of what is sent by weight.
    """
    rule, candidates = table.rule_for(traits), table.candidates(traits)
    traffic = Traffic.of(traits.lane, traits.carrier)
    standings = {one.name: _standing(one, known, traffic, now()) for one in candidates}
    ordered = order(rule.strategy, list(standings.values()), random.Random()) if standings else []  # noqa: S311 - a sample
    shares = _shares(rule, standings)
    cannot = [name for name in rule.channels if name not in standings]
    return {
        "to": traits.phone.masked,
        "country": traits.country,
        "carrier": traits.carrier,
        "rule": _rule(rule, table),
        "strategy": rule.strategy,
        "channels": [
            {
                "name": name,
                "available": standings[name].available,
                "why": _why(name, known),
                "health": round(standings[name].health, 4),
                "cost": standings[name].cost,
                "share": shares.get(name),
            }
            for name in ordered
        ],
        "cannot_carry": cannot,
    }


def _standing(profile: Profile, known: Known, traffic: Traffic, now: int) -> Standing:
    state = _state(profile.name, known)
    available = profile.name not in known.pauses and (state.phase is not Phase.OPEN or now >= state.until)
    return standing(profile, health=weight_of(known, Kind(profile.name, traffic)), available=available)


def _state(name: str, known: Known) -> State:
    return known.states.get(name_of(name, SEND), CLOSED)


def _why(name: str, known: Known) -> str:
    """Say why a channel is not as well as can be; '' where it is."""
    pause, state = known.pauses.get(name), _state(name, known)
    if pause is not None:
        return f"paused: {pause.reason}" if pause.reason else "paused"
    if state.phase is Phase.CLOSED:
        return ""
    return f"breaker {state.phase}: {state.reason or ''} {state.detail}".strip()


def _rule(rule: Rule, table: Table) -> dict[str, Any] | None:
    """Name a rule by its number in the file, and what it asks for; None where none fits."""
    number = next((number for number, one in enumerate(table.rules, 1) if one is rule), None)
    if number is None:
        return None
    asked = {name: list(value) for name in CONDITIONS if (value := getattr(rule, name)) is not None}
    return {"number": number, "conditions": asked, "alternate": rule.alternate}


def _shares(rule: Rule, standings: Mapping[str, Standing]) -> dict[str, float]:
    if rule.strategy is not Strategy.WEIGHTED:
        return {}
    going: Sequence[Standing] = [one for one in standings.values() if one.available]
    total = sum(one.share for one in going)
    return {one.name: round(one.share / total, 4) for one in going} if total else {}
