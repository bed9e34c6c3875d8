"""Read the upload of a batch, in whichever format, and say how far it came."""

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Request

from smsgate.errors import BatchClosed, FieldError, InvalidMessage, StoreUnavailable
from smsgate.flow.report_batch import report_upload
from smsgate.flow.submit_batch import SubmitBatch, UploadBroken, Withdrawn
from smsgate.flow.write_rows import Given, Upload
from smsgate.http.idempotency import idempotency_key
from smsgate.http.numbers import is_number
from smsgate.http.problems import Problem, limit_exceeded
from smsgate.http.rows.body import Body
from smsgate.http.rows.csv_rows import csv_rows
from smsgate.http.rows.json_rows import JsonBatch
from smsgate.http.rows.ndjson import ndjson_rows
from smsgate.message import Common, Lane

_GO_ON: Final = (
    "Send all rows again with the same Idempotency-Key: what is there is not sent twice. Without a key, send what GET "
    "/v1/batches/ID does not count."
)
# A zone whose + a query string made a space of, behind a time of day.
_LOST_PLUS: Final = re.compile(r":\d\d\S* \d\d:?\d\d$")
_FORMATS: Final[Mapping[str, Callable[[Body], Iterable[Given]]]] = {
    "application/x-ndjson": ndjson_rows,
    "text/csv": csv_rows,
}


def uploaded(submit: SubmitBatch, request: Request, client: str) -> Upload:
    """Read a batch to its end.

    Raises:
        Degraded: The gateway is degraded and takes no batches.
        LimitExceeded: A limit that counts requests lets no more through.
        Problem: It broke off, was called back meanwhile, or has no row that is a message and within its limits.
    """
    key = idempotency_key(request)
    submit.look(client, key)
    common, rows = _batch_of(request)
    try:
        upload = submit(common, rows, client=client, idempotency_key=key)
    except UploadBroken as broken:
        raise _broken(broken) from None
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
        body = JsonBatch(_body(request, of_lines=False))
        return _common_before_rows(body.head), body.rows()
    read = _FORMATS.get(request.mimetype)
    if read is None:
        detail = "Content-Type: must be application/json, application/x-ndjson or text/csv; set the header."
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unknown-format", detail)
    return _common(_query(request)), read(_body(request, of_lines=True))


def _query(request: Request) -> dict[str, Any]:
    """Read a batch's own fields from the query string, where numbers are written as text."""
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InvalidMessage([FieldError(name, "is given twice; give it once")])
        given[name] = values[0]
    if _LOST_PLUS.search(given.get("send_at", "")):
        raise InvalidMessage([FieldError("send_at", "has a space before its zone; in a URL write its + as %2B")])
    if is_number(given.get("valid_for", "")):
        given["valid_for"] = int(given["valid_for"])
    return given


def _common(fields: Mapping[str, Any]) -> Common:
    return Common.check({"lane": Lane.BULK, **fields})


def _common_before_rows(fields: Mapping[str, Any]) -> Common:
    """Read a batch's own fields from a JSON object: what is missing may stand behind its rows, which is too late."""
    try:
        return _common(fields)
    except InvalidMessage as error:
        late = {"is required": "is required, before messages"}
        raise InvalidMessage(
            [FieldError(one.field, late.get(one.message, one.message)) for one in error.errors]
        ) from None


def _body(request: Request, *, of_lines: bool) -> Body:
    return Body(request.stream, request.content_length, of_lines=of_lines)


def _broken(broken: UploadBroken) -> Exception:
    """Say why a batch did not come in to its end, how far it came, and how it goes on."""
    error, upload = broken.error, broken.upload
    so_far = f"{upload.accepted:,} rows were accepted before that"
    begun = upload.received or upload.replayed
    way_on = f"{so_far}, and go out. {_GO_ON}" if begun else "Nothing was accepted; mend it and send it again."
    told = report_upload(upload)
    match error:
        case Withdrawn() if not upload.replayed:
            detail = (
                f"{_named(error)}. Nothing of this batch goes out any more; send it anew, with another Idempotency-Key."
            )
            return Problem(HTTPStatus.BAD_REQUEST, "upload-withdrawn", detail, **told)
        case InvalidMessage():
            return Problem(HTTPStatus.BAD_REQUEST, "upload-broken", f"{_named(error)}. {way_on}", **told)
        case BatchClosed():
            return Problem(HTTPStatus.CONFLICT, "batch-cancelled", f"id: {error}.", **told)
        case StoreUnavailable():
            detail = f"The store does not answer. {so_far}, or more. {_GO_ON}"
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "store-unavailable", detail, **told)
    return error


def _named(error: InvalidMessage) -> str:
    return "; ".join(f"{one.field}: {one.message}" for one in error.errors)


def _nothing(upload: Upload) -> Problem:
    if upload.limited:
        return limit_exceeded(upload.limited, **report_upload(upload))
    detail = "messages: not one row is a message; see `rejected`." if upload.received else "messages: is empty."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no-valid-row", detail, **report_upload(upload))
