"""`/v1/messages`: accept one message; tell what became of it; call it back."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Response, g, jsonify, request

from smsgate.flow.cancel import Called, cancel
from smsgate.flow.report import report
from smsgate.http.accept import PATH, Accept
from smsgate.http.auth import authenticate
from smsgate.http.body import read_object
from smsgate.http.idempotency import idempotency_key
from smsgate.http.owned import owned
from smsgate.http.problems import Problem
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.records import Records
from smsgate.states import State


def blueprint(take: Accept, records: Records, api_keys: ApiKeys) -> Blueprint:
    """Build the routes round their parts."""
    routes = Blueprint("messages", __name__, url_prefix=PATH)

    @routes.before_request
    def _authenticate() -> None:
        g.client = authenticate(request, api_keys)

    @routes.post("")
    def accept() -> tuple[Response, int, Mapping[str, str]]:
        """Accept a message that did not come the express way."""
        accepted = take(read_object(request), g.client, idempotency_key(request))
        return jsonify(accepted.body), HTTPStatus.ACCEPTED, accepted.headers

    @routes.get("/<message_id>")
    def show(message_id: str) -> Response:
        return jsonify(report(owned(records, message_id, g.client)))

    @routes.delete("/<message_id>")
    def call_back(message_id: str) -> Response:
        record = owned(records, message_id, g.client)
        cancellation = cancel(records, record.id)
        if cancellation.called is Called.TOO_LATE:
            raise _too_late(cancellation.state)
        return jsonify(report(owned(records, message_id, g.client)))

    return routes


def _too_late(state: State | None) -> Problem:
    detail = f"id: the message is {state}; only one that is queued can be cancelled."
    if state is State.DEAD:
        detail += " DELETE /v1/dead-letters/ID drops a dead letter."
    return Problem(HTTPStatus.CONFLICT, "too-late", detail, state=state)
