"""Errors as RFC 9457 problem details: each names what is wrong and what to do."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from smsgate.errors import (
    Degraded,
    FieldError,
    IdempotencyConflict,
    InvalidMessage,
    LimitExceeded,
    SmsgateError,
    StoreUnavailable,
)

# Seconds after which a client should try again; a restarting Redis is back within a few.
RETRY_AFTER: Final = 2


class Problem(SmsgateError):
    """A refusal on its way to the client."""

    def __init__(self, status: HTTPStatus, kind: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.more = more
        self.headers: Mapping[str, str] = {}


def invalid(errors: Sequence[FieldError]) -> Problem:
    """Name each field that breaks a rule."""
    named = [{"field": error.field, "message": error.message} for error in errors]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-message", "Mend the fields named in errors.", errors=named)


def bad_request(errors: Sequence[FieldError]) -> Problem:
    """Name each parameter or field of a request that cannot be understood."""
    named = [{"field": error.field, "message": error.message} for error in errors]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Mend the fields named in errors.", errors=named)


def answer(problem: Problem) -> Response:
    """Write a problem as application/problem+json."""
    body = {
        "type": f"urn:smsgate:problem:{problem.kind}",
        "title": problem.status.phrase,
        "status": int(problem.status),
        "detail": problem.detail,
        **problem.more,
    }
    response = Response(
        json.dumps(body, ensure_ascii=False), status=int(problem.status), content_type="application/problem+json"
    )
    if problem.status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    if problem.status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="smsgate"'
    response.headers.update(problem.headers)
    return response


def limit_exceeded(error: LimitExceeded, **more: Any) -> Problem:
    """Say which limit is used up, in the body and by draft-ietf-httpapi-ratelimit-headers-11."""
    problem = Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "limit-exceeded",
        f"{error}.",
        limit=error.limit,
        per=list(error.per),
        retry_after=error.wait,
        **more,
    )
    problem.headers = {
        "Retry-After": str(error.wait),
        "RateLimit": f'"{error.limit}";r=0;t={error.wait}',
        "RateLimit-Policy": f'"{error.limit}";q={error.quota};w={error.window}',
    }
    return problem


def degraded(error: Degraded) -> Problem:
    """Say how far the gateway is degraded, and when to try again."""
    detail = f"{error}. Codes (lane otp) are taken."
    problem = Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "degraded",
        detail,
        level=error.level,
        level_name=error.name,
        retry_after=error.wait,
    )
    problem.headers = {"Retry-After": str(error.wait)}
    return problem


def register(app: Flask) -> None:
    """Turn every error that leaves a view into a problem."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(InvalidMessage, lambda error: answer(invalid(error.errors)))
    app.register_error_handler(
        IdempotencyConflict,
        lambda error: answer(Problem(HTTPStatus.CONFLICT, "idempotency-conflict", f"Idempotency-Key: {error}.")),
    )
    app.register_error_handler(LimitExceeded, lambda error: answer(limit_exceeded(error)))
    app.register_error_handler(Degraded, lambda error: answer(degraded(error)))
    app.register_error_handler(StoreUnavailable, _unavailable)
    app.register_error_handler(HTTPException, _http)


def _unavailable(_error: StoreUnavailable) -> Response:
    detail = f"The store does not answer; try again in {RETRY_AFTER} s."
    if request.endpoint == "messages.accept":
        # A Redis that only falls silent may still do what it was asked: who repeats without a key sends twice.
        detail += (
            " Whether this was accepted is not known: repeat it with the same Idempotency-Key, or it may go twice."
        )
    return answer(Problem(HTTPStatus.SERVICE_UNAVAILABLE, "store-unavailable", detail))


def _http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    response = answer(Problem(status, status.phrase.lower().replace(" ", "-"), error.description or status.phrase))
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response
