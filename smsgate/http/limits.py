"""`/v1/limits`: a client's own limits; and how answers tell of them: draft-ietf-httpapi-ratelimit-headers-11."""

from collections.abc import Iterable
from math import ceil
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, jsonify, request

from smsgate.http.auth import authenticate
from smsgate.ledger.api_keys import ApiKeys

if TYPE_CHECKING:
    from smsgate.flow.admit import Admit
    from smsgate.flow.permits import Standing


def blueprint(admit: "Admit | None", api_keys: ApiKeys) -> Blueprint:
    """Build the route round its parts."""
    routes = Blueprint("limits", __name__, url_prefix="/v1/limits")

    @routes.before_request
    def _authenticate() -> None:
        g.client = authenticate(request, api_keys)

    @routes.get("")
    def show() -> Response:
        if admit is None:
            return jsonify({"limits": []})
        from smsgate.flow.report_limits import About, report_limits  # noqa: PLC0415 - where there are limits

        return jsonify({"limits": report_limits(admit, About(client=g.client))})

    return routes


def told(standings: "Iterable[Standing]") -> dict[str, str]:
    """Write the headers for limits that an accepted request came under; none where there are none."""
    known = [(one.limit.name, one.limit.allow, one.remaining, ceil(one.lasts)) for one in standings]
    if not known:
        return {}
    return {
        "RateLimit": ", ".join(f'"{name}";r={remaining};t={lasts}' for name, _, remaining, lasts in known),
        "RateLimit-Policy": ", ".join(f'"{name}";q={allow.number};w={allow.seconds}' for name, allow, _, _ in known),
    }
