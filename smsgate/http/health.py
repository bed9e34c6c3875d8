"""Is it alive, and can it work?"""

from typing import Any

from flask import Blueprint

from smsgate.ledger.lanes import Lanes
from smsgate.ledger.records import Records


def blueprint(records: Records, lanes: Lanes) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    def ready() -> dict[str, Any]:
        records.ping()
        # A paused lane is no reason to send callers elsewhere: what they hand over is kept.
        return {"status": "ready", "paused": {lane: pause.by for lane, pause in lanes.pauses().items()}}

    return routes
