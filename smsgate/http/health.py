"""Is it alive, and can it work?"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint

from smsgate.flow.door import Door
from smsgate.ledger.lanes import Lanes
from smsgate.ledger.records import Records

Channels = Callable[[], Mapping[str, str]]


def blueprint(records: Records, lanes: Lanes, door: Door, channels: Channels) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    def ready() -> dict[str, Any]:
        records.ping()
        # Neither a paused lane nor a degraded gateway is a reason to send callers elsewhere: it takes codes, and keeps
        # what it takes.
        level = door.level()
        return {
            "status": "ready",
            "level": int(level),
            "level_name": level.label,
            "paused": {lane: pause.by for lane, pause in lanes.pauses().items()},
            "channels": channels(),
        }

    return routes
