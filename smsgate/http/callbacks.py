"""What providers call: their pushes are stored as they come and answered at once; a worker applies them."""

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
# What each provider pushes to which last part of its URL, and what it wants to hear. To Aliyun any number as code will
# do; the texts are the providers' own examples.
KINDS: Final = {
    ("aliyun", "sms-report"): PushKind.SMS_REPORT,
    ("aliyun", "sms-up"): PushKind.SMS_UP,
    ("tencent", "sms-report"): PushKind.TENCENT_REPORT,
    ("tencent", "sms-up"): PushKind.TENCENT_UP,
}
RECEIVED: Final[dict[str, dict[str, Any]]] = {
    "aliyun": {"code": 0, "msg": "接收成功"},
    "tencent": {"result": 0, "errmsg": "OK"},
}


def blueprint(pushes: Pushes, secret: str | None) -> Blueprint:
    """Build the routes; without a secret none of them exists for anybody."""
    routes = Blueprint("callbacks", __name__, url_prefix="/callbacks")

    @routes.route("/<provider>/<given>/<last>", methods=["GET", "POST"])
    def push(provider: str, given: str, last: str) -> dict[str, Any]:
        kind = KINDS.get((provider, last))
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()) or kind is None:
            raise Problem(HTTPStatus.NOT_FOUND, "not-found", "There is nothing here.")
        if request.method == "POST":
            # What is not UTF-8 cannot be a push; it is set aside like all that cannot be used.
            body = read(request, LONGEST).decode("utf-8", "replace")
            pushes.store(Push(str(uuid7()), kind, body))
        return RECEIVED[provider]

    return routes
