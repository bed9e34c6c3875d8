"""The key by which a request that is repeated is known again."""

import re
from http import HTTPStatus
from typing import Final

from flask import Request

from smsgate.http.problems import Problem

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_key(request: Request) -> str | None:
    """Read the `Idempotency-Key` of a request, if it has one.

    Raises:
        Problem: It is none (400).
    """
    return checked(request.headers.get("Idempotency-Key"))


def checked(key: str | None) -> str | None:
    """Hold a key, if there is one, against the rule for it.

    Raises:
        Problem: It breaks it (400).
    """
    if key is not None and not _KEY.fullmatch(key):
        detail = "Idempotency-Key: must be 1 to 255 printable ASCII characters without spaces, such as a UUID."
        raise Problem(HTTPStatus.BAD_REQUEST, "bad-idempotency-key", detail)
    return key
