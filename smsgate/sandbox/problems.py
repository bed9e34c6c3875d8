"""Reading what somebody sends to a control endpoint; what is wrong is a 400 that names the field."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


def problem(status: HTTPStatus, detail: str, errors: list[dict[str, str]] | None = None) -> web.HTTPException:
    """Make an RFC 9457 problem to raise."""
    body: dict[str, object] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    if errors is not None:
        body["errors"] = errors
    failure = _FAILURES[status]
    return failure(text=json.dumps(body, ensure_ascii=False), content_type="application/problem+json")


_FAILURES: dict[HTTPStatus, type[web.HTTPException]] = {
    HTTPStatus.BAD_REQUEST: web.HTTPBadRequest,
    HTTPStatus.FORBIDDEN: web.HTTPForbidden,
    HTTPStatus.NOT_FOUND: web.HTTPNotFound,
    HTTPStatus.CONFLICT: web.HTTPConflict,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: web.HTTPUnsupportedMediaType,
    HTTPStatus.MISDIRECTED_REQUEST: web.HTTPMisdirectedRequest,
    HTTPStatus.SERVICE_UNAVAILABLE: web.HTTPServiceUnavailable,
}


async def body_as(adapter: TypeAdapter[T], request: web.Request) -> T:
    """Read a JSON body."""
    try:
        document = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise problem(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from None
    return _validated(adapter, document)


def query_as(adapter: TypeAdapter[T], request: web.Request) -> T:
    """Read the query string, where every parameter may be given once."""
    repeated = [name for name in request.query if len(request.query.getall(name)) > 1]
    if repeated:
        raise _invalid([{"field": repeated[0], "message": "is given more than once"}])
    return _validated(adapter, dict(request.query))


def _validated(adapter: TypeAdapter[T], document: object) -> T:
    try:
        return adapter.validate_python(document)
    except ValidationError as failure:
        raise _invalid([_named(error, document) for error in failure.errors(include_url=False)]) from None


def _invalid(errors: list[dict[str, str]]) -> web.HTTPException:
    detail = "; ".join(f"{error['field']}: {error['message']}" for error in errors)
    return problem(HTTPStatus.BAD_REQUEST, detail, errors)


def _named(error: Mapping[str, Any], document: object) -> dict[str, str]:
    """Name the field as the sender wrote it: pydantic puts a union's tag before it, and nothing for the tag itself."""
    path = [str(part) for part in error["loc"]]
    kind = document.get("kind") if isinstance(document, dict) else None
    if path and path[0] == kind:
        path = path[1:]
    whole = "kind" if str(error["type"]).startswith("union_tag") else "(body)"
    return {"field": ".".join(path) or whole, "message": str(error["msg"])}
