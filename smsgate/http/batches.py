"""`/v1/batches`: take rows by the hundred thousand, tell how they stand, pause, let go on, call back."""

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import IO, Any, Final

from flask import Blueprint, Request, Response, g, jsonify, request, url_for

from smsgate.errors import BatchClosed, FieldError, InvalidMessage
from smsgate.flow.clock import system_clock
from smsgate.flow.report import report
from smsgate.flow.report_batch import report_batch, report_upload
from smsgate.flow.steer_batch import SteerBatch
from smsgate.flow.submit_batch import Given, SubmitBatch, Upload, UploadBroken
from smsgate.http.auth import authenticate
from smsgate.http.idempotency import idempotency_key
from smsgate.http.problems import Problem
from smsgate.http.rows.csv_rows import csv_rows
from smsgate.http.rows.json_rows import JsonBatch
from smsgate.http.rows.ndjson import ndjson_rows
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.batch import Batch, Status
from smsgate.ledger.batches import Batches, row_id
from smsgate.ledger.records import Records
from smsgate.message import MESSAGE_ID, Common, Lane
from smsgate.states import State

_ID: Final = re.compile(MESSAGE_ID)
_ACTIONS: Final = {"pause": Status.PAUSED, "resume": Status.OPEN, "cancel": Status.CANCELLED}
# Rows that one page may hold, and that are looked at for it.
_MOST_SHOWN: Final = 1_000
_FORMATS: Final[Mapping[str, Callable[[IO[bytes]], Iterable[Given]]]] = {
    "application/x-ndjson": ndjson_rows,
    "text/csv": csv_rows,
}


def blueprint(
    submit: SubmitBatch, steer: SteerBatch, batches: Batches, records: Records, api_keys: ApiKeys
) -> Blueprint:
    """Build the routes round their parts."""
    routes = Blueprint("batches", __name__, url_prefix="/v1/batches")

    @routes.before_request
    def _authenticate() -> None:
        g.client = authenticate(request, api_keys)

    @routes.post("")
    def accept() -> tuple[Response, int, dict[str, str]]:
        upload = _uploaded(submit, request)
        headers = {"Location": url_for("batches.show", batch_id=upload.batch.id)}
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


def _uploaded(submit: SubmitBatch, request: Request) -> Upload:
    """Read a batch to its end.

    Raises:
        Problem: It broke off, was called back meanwhile, or has no row that is a message.
    """
    common, rows = _batch_of(request)
    try:
        upload = submit(common, rows, client=g.client, idempotency_key=idempotency_key(request))
    except UploadBroken as broken:
        raise _broken(broken) from None
    except BatchClosed as closed:
        raise Problem(HTTPStatus.CONFLICT, "batch-cancelled", f"id: {closed}.") from None
    if not upload.accepted:
        raise _nothing(upload)
    return upload


def _batch_of(request: Request) -> tuple[Common, Iterable[Given]]:
    """Begin to read a batch: its own fields, and its rows as they come.

    Raises:
        InvalidMessage: Its own fields break a rule, or what came is not of its format.
        Problem: It is of no format that is read here (415).
    """
    if request.mimetype == "application/json":
        body = JsonBatch(request.stream)
        return _common(body.head), body.rows()
    read = _FORMATS.get(request.mimetype)
    if read is None:
        detail = "Content-Type: must be application/json, application/x-ndjson or text/csv; set the header."
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unknown-format", detail)
    return _common(_query(request)), read(request.stream)


def _query(request: Request) -> dict[str, Any]:
    """Read a batch's own fields from the query string, where numbers are written as text."""
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InvalidMessage([FieldError(name, "is given twice; give it once")])
        given[name] = values[0]
    if str(given.get("valid_for", "")).isdecimal():
        given["valid_for"] = int(given["valid_for"])
    return given


def _common(fields: Mapping[str, Any]) -> Common:
    return Common.check({"lane": Lane.BULK, **fields})


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
    if start is not None and not start.isdecimal():
        errors.append(FieldError("cursor", "must be the `next` of the page before; leave it out for the first"))
    if limit is not None and not (limit.isdecimal() and 1 <= int(limit) <= _MOST_SHOWN):
        errors.append(FieldError("limit", f"must be a whole number from 1 to {_MOST_SHOWN:,}"))
    if errors:
        raise InvalidMessage(errors)
    return State(state) if state else None, int(start or 0), int(limit or 100)


def _broken(broken: UploadBroken) -> Problem:
    errors = broken.error.errors if isinstance(broken.error, InvalidMessage) else ()
    what = "; ".join(f"{one.field}: {one.message}" for one in errors) or "body: it could not be read to its end"
    detail = (
        f"{what}. {broken.upload.accepted:,} rows before that were accepted and go out; mend the rest and repeat the "
        "request with the same Idempotency-Key: what was accepted is not sent again."
    )
    return Problem(HTTPStatus.BAD_REQUEST, "upload-broken", detail, **report_upload(broken.upload))


def _nothing(upload: Upload) -> Problem:
    detail = "messages: not one row is a message; see `rejected`." if upload.received else "messages: is empty."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no-valid-row", detail, **report_upload(upload))
