"""`/v1/pauses`: see what stands still, pause and resume a lane, a client, a template or a channel."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from smsgate.errors import FieldError
from smsgate.flow.pausing import Paused, Pausing, What
from smsgate.flow.report import moment
from smsgate.http.auth import authenticate_operator
from smsgate.http.body import read_object
from smsgate.http.degradation import read_reason
from smsgate.http.problems import Problem, bad_request
from smsgate.ledger.api_keys import ApiKeys


def blueprint(pausing: Pausing, api_keys: ApiKeys) -> Blueprint:
    """Build the routes round their parts."""
    routes = Blueprint("pauses", __name__, url_prefix="/v1/pauses")

    @routes.before_request
    def _authenticate() -> None:
        g.client = authenticate_operator(request, api_keys)

    @routes.get("")
    def listed() -> Response:
        return jsonify({"pauses": [_report(one) for one in pausing.all()]})

    @routes.put("/<what>/<name>")
    def pause(what: str, name: str) -> Response:
        errors: list[FieldError] = []
        reason = read_reason(read_object(request) if request.content_length else {}, errors)
        if errors:
            raise bad_request(errors)
        return jsonify(_report(pausing.pause(_what(what), name, reason)))

    @routes.delete("/<what>/<name>")
    def resume(what: str, name: str) -> tuple[str, int]:
        """Resume it; that it was not paused is no error: it goes on."""
        pausing.resume(_what(what), name)
        return "", HTTPStatus.NO_CONTENT

    return routes


def _what(named: str) -> What:
    if named not in set(What):
        raise Problem(HTTPStatus.NOT_FOUND, "unknown-kind", f"What can be paused is {', '.join(What)}.")
    return What(named)


def _report(one: Paused) -> dict[str, Any]:
    pause = one.pause
    return {"kind": one.what, "name": one.name, "by": pause.by, "reason": pause.reason, "since": moment(pause.at)}
