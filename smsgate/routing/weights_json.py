"""The weights' state as JSON, for whoever keeps it from one second to the next."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from smsgate.routing.evidence import Metric, Sample
from smsgate.routing.traffic import Kind
from smsgate.routing.weights import Health, State

# Another version of the program may have written it, with other meanings: then everything is learnt anew.
VERSION: Final = 1


def dump(state: State) -> str:
    """Write a state: some 400 bytes for each pair."""
    parts = {"pairs": _all_written(state.pairs), "wholes": _all_written(state.wholes)}
    return json.dumps({"version": VERSION, "at": state.at, **parts}, separators=(",", ":"))


def load(written: str | bytes) -> State:
    """Read a state back; one that cannot be read is as none, for what it knows is learnt again in a minute."""
    try:
        known = json.loads(written)
        if known["version"] != VERSION:
            return State()
        return State(float(known["at"]), _all_read(known["pairs"]), _all_read(known["wholes"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return State()


def _all_written(known: Mapping[Kind, Health]) -> dict[str, Any]:
    return {str(pair): _written(health) for pair, health in known.items()}


def _all_read(written: dict[str, Any]) -> Mapping[Kind, Health]:
    return MappingProxyType({Kind.read(pair): _read(health) for pair, health in written.items()})


def _written(health: Health) -> dict[str, Any]:
    return {
        "factor": health.factor,
        "seen_at": health.seen_at,
        "memory": {metric: (one.n, one.value, one.error) for metric, one in health.memory.items()},
        "usual": dict(health.usual),
    }


def _read(written: dict[str, Any]) -> Health:
    return Health(
        float(written["factor"]),
        float(written["seen_at"]),
        {Metric(metric): Sample(*map(float, one)) for metric, one in written["memory"].items()},
        {Metric(metric): float(value) for metric, value in written["usual"].items()},
    )
