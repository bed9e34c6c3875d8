"""Read a request's body as one strict JSON object."""

import json
from http import HTTPStatus
from typing import Any, Final, Never

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from smsgate.http.problems import Problem

# Bytes. The longest message that keeps to the limits of its fields is far below.
LONGEST: Final = 64 * 1024


class _DuplicateKey(ValueError):
    """An object names a key twice, and readers of JSON differ in which one they take."""


def read_object(request: Request) -> dict[str, Any]:
    """Parse the body.

    Raises:
        Problem: It is not JSON in UTF-8 (400), no object (400), names a key twice (400), is not
            declared as JSON (415), or has more than `LONGEST` bytes (413).
    """
    if request.mimetype != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-json", "Content-Type: must be application/json; set the header."
        )
    return parsed(read(request, LONGEST))


def parsed(raw: bytes) -> dict[str, Any]:
    """Parse a body that was read.

    Raises:
        Problem: As `read_object` says (400).
    """
    try:
        fields = _DECODER.decode(raw.decode())
    except _DuplicateKey as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "duplicate-key", str(error)) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(HTTPStatus.BAD_REQUEST, "not-json", f"body: is not JSON: {error.msg} at {where}.") from None
    except (ValueError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, "not-json", "body: is not JSON in UTF-8 of a reasonable shape.") from None
    if not isinstance(fields, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, "not-an-object", "body: must be a JSON object with the message's fields.")
    return fields


def read(request: Request, longest: int) -> bytes:
    """Read a body of at most `longest` bytes.

    A body that comes in chunks names no length, and werkzeug cuts it off at the limit without a word: so one byte
    more is allowed, and refused.

    Raises:
        Problem: It is longer (413).
    """
    request.max_content_length = longest + 1
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise _too_long(longest) from None
    if len(raw) > longest:
        raise _too_long(longest)
    return raw


def _too_long(longest: int) -> Problem:
    detail = f"body: is longer than {longest:,} bytes; shorten it."
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for key, value in pairs:
        if key in known:
            named = key.encode("utf-8", "backslashreplace").decode()
            raise _DuplicateKey(f"{named}: is given twice; give it once.")
        known[key] = value
    return known


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)


# Built once: json.loads builds one for each call that asks for more than the usual.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
