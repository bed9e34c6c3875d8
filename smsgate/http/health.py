"""Is it alive, and can it work?"""

from flask import Blueprint

from smsgate.ledger.records import Records


def blueprint(records: Records) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    def ready() -> dict[str, str]:
        records.ping()
        return {"status": "ready"}

    return routes
