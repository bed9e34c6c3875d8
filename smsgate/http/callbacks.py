"""What Aliyun calls: its pushes are stored as they come and answered at once; a worker applies them."""

import hmac
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, request
from uuid_utils import uuid7

from smsgate.http.body import read
from smsgate.http.problems import Problem
from smsgate.ledger.pushes import Push, Pushes, PushKind

# Bytes. A report has about 300; how many one push holds is not documented.
LONGEST: Final = 4 * 1024 * 1024
# Any number as code will do; the text is the provider's own example.
RECEIVED: Final = {"code": 0, "msg": "接收成功"}


def blueprint(pushes: Pushes, secret: str | None) -> Blueprint:
    """Build the routes; without a secret none of them exists for anybody."""
    routes = Blueprint("callbacks", __name__, url_prefix="/callbacks/aliyun")

    @routes.route("/<given>/<kind>", methods=["GET", "POST"])
    def push(given: str, kind: str) -> dict[str, Any]:
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()) or kind not in set(PushKind):
            raise Problem(HTTPStatus.NOT_FOUND, "not-found", "There is nothing here.")
        if request.method == "POST":
            # What is not UTF-8 cannot be a push; it is set aside like all that cannot be used.
            body = read(request, LONGEST).decode("utf-8", "replace")
            pushes.store(Push(str(uuid7()), PushKind(kind), body))
        return RECEIVED

    return routes
