"""`/v1/batches`: take rows by the hundred thousand, tell how they stand, pause, let go on, call back."""

import re
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Final

from flask import Blueprint, Request, Response, g, jsonify, request, url_for

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.clock import system_clock
from smsgate.flow.report import report
from smsgate.flow.report_batch import report_batch, report_upload
from smsgate.flow.steer_batch import SteerBatch
from smsgate.flow.submit_batch import SubmitBatch
from smsgate.http.auth import authenticate
from smsgate.http.limits import told
from smsgate.http.numbers import is_number
from smsgate.http.problems import Problem
from smsgate.http.upload import uploaded
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.batch import Batch, Status
from smsgate.ledger.batches import Batches, row_id
from smsgate.ledger.records import Records
from smsgate.message import MESSAGE_ID
from smsgate.states import State

_ID: Final = re.compile(MESSAGE_ID)
_ACTIONS: Final = {"pause": Status.PAUSED, "resume": Status.OPEN, "cancel": Status.CANCELLED}
# Rows that one page may hold, and that are looked at for it.
_MOST_SHOWN: Final = 1_000
# Uploads that one process reads side by side. Each takes one of its threads (eight in the Procfile) for as long as its
# client likes, and single messages need the others.
_MOST_UPLOADS: Final = 4


def blueprint(
    submit: SubmitBatch, steer: SteerBatch, batches: Batches, records: Records, api_keys: ApiKeys
) -> Blueprint:
    """Build the routes round their parts."""
    routes = Blueprint("batches", __name__, url_prefix="/v1/batches")
    room = BoundedSemaphore(_MOST_UPLOADS)

    @routes.before_request
    def _authenticate() -> None:
        g.client = authenticate(request, api_keys)

    @routes.post("")
    def accept() -> tuple[Response, int, dict[str, str]]:
        if not room.acquire(blocking=False):
            detail = f"This process reads {_MOST_UPLOADS} batches already; try again in a moment."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "uploads-busy", detail)
        try:
            upload = uploaded(submit, request, g.client)
        finally:
            room.release()
        headers = {"Location": url_for("batches.show", batch_id=upload.batch.id), **told(upload.standings)}
        if upload.replayed:
            headers["Idempotency-Replayed"] = "true"
        return jsonify(report_upload(upload)), HTTPStatus.ACCEPTED, headers

    @routes.get("/<batch_id>")
    def show(batch_id: str) -> Response:
        return jsonify(report_batch(_owned(batches, batch_id), system_clock()))

    @routes.get("/<batch_id>/messages")
    def rows_of(batch_id: str) -> Response:
        batch = _owned(batches, batch_id)
        state, start, limit = _page(request)
        numbers = range(start, min(start + limit, batch.received))
        found = records.read_those_readable([row_id(batch.id, number) for number in numbers]).values()
        shown = [report(one) for one in found if one is not None and state in (None, one.state)]
        following = start + limit if start + limit < batch.received else None
        return jsonify({"messages": shown, "next": following})

    @routes.post("/<batch_id>/<action>")
    def steered(batch_id: str, action: str) -> Response:
        batch = _owned(batches, batch_id)
        if action not in _ACTIONS:
            raise Problem(HTTPStatus.NOT_FOUND, "unknown-action", f"A batch knows {', '.join(_ACTIONS)}.")
        if not steer(batch, _ACTIONS[action]):
            detail = "id: the batch was called back; that cannot be undone. Send the rest as a new batch."
            raise Problem(HTTPStatus.CONFLICT, "batch-cancelled", detail)
        return jsonify(report_batch(_owned(batches, batch_id), system_clock()))

    return routes


def _owned(batches: Batches, batch_id: str) -> Batch:
    """Find a batch that this client may see: its own, or one that no HTTP client owns.

    Raises:
        Problem: There is none (404).
    """
    batch = batches.read(batch_id) if _ID.fullmatch(batch_id) else None
    if batch is None or batch.client not in ("", g.client):
        detail = "id: there is no such batch; it was never accepted, or it is longer ago than batches are kept."
        raise Problem(HTTPStatus.NOT_FOUND, "unknown-batch", detail)
    return batch


def _page(request: Request) -> tuple[State | None, int, int]:
    state, start, limit = (request.args.get(name) for name in ("state", "cursor", "limit"))
    errors = []
    if state is not None and state not in set(State):
        errors.append(FieldError("state", f"must be one of {', '.join(State)}"))
    if start is not None and not is_number(start):
        errors.append(FieldError("cursor", "must be the `next` of the page before; leave it out for the first"))
    if limit is not None and not (is_number(limit) and 1 <= int(limit) <= _MOST_SHOWN):
        errors.append(FieldError("limit", f"must be a whole number from 1 to {_MOST_SHOWN:,}"))
    if errors:
        raise InvalidMessage(errors)
    return State(state) if state else None, int(start or 0), int(limit or 100)
