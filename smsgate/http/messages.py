"""`/v1/messages`: accept one message; tell what became of it; call it back."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from smsgate.flow.cancel import Called, cancel
from smsgate.flow.report import report
from smsgate.flow.submit import Submit
from smsgate.http.auth import authenticate
from smsgate.http.body import read_object
from smsgate.http.idempotency import idempotency_key
from smsgate.http.owned import owned
from smsgate.http.problems import Problem
from smsgate.http.ready import Ready
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.records import Records
from smsgate.message import Message, MessageId
from smsgate.states import State


def blueprint(submit: Submit, records: Records, api_keys: ApiKeys) -> Blueprint:
    """Build the routes round their parts."""
    routes = Blueprint("messages", __name__, url_prefix="/v1/messages")

    @routes.before_request
    def _authenticate() -> None:
        g.client = authenticate(request, api_keys)

    @routes.post("")
    def accept() -> Response:
        message = Message.check(read_object(request))
        submitted = submit(message, client=g.client, idempotency_key=idempotency_key(request))
        # Not by url_for, which takes as long as all of the checks above.
        headers = {"Location": f"{routes.url_prefix}/{submitted.id}"}
        state = State.QUEUED
        if submitted.replayed:
            headers["Idempotency-Replayed"] = "true"
            known = records.read(submitted.id)
            state = known.state if known else state
        return Ready(_accepted(submitted.id, state, message), HTTPStatus.ACCEPTED, headers)

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


def _accepted(message_id: MessageId, state: State, message: Message) -> dict[str, Any]:
    known = {
        "id": message_id,
        "state": state,
        "to": message.to.masked,
        "template": message.template,
        "lane": message.lane,
        "valid_for": message.seconds_valid,
        "reference": message.reference,
    }
    return {name: value for name, value in known.items() if value is not None}


def _too_late(state: State | None) -> Problem:
    detail = f"id: the message is {state}; only one that is queued can be cancelled."
    if state is State.DEAD:
        detail += " DELETE /v1/dead-letters/ID drops a dead letter."
    return Problem(HTTPStatus.CONFLICT, "too-late", detail, state=state)
