"""Numbers to which something always happens, so that a test needs no control request.

They are valid mainland numbers, and concern sending only: a query about one of them is answered truly.
"""

from typing import Final

from smsgate.sandbox.answers import Code
from smsgate.sandbox.faults.specs import (
    Drip,
    Fault,
    Hang,
    Html,
    Latency,
    ReceiptDelayed,
    ReceiptDoubled,
    ReceiptLost,
    Refusal,
    Reset,
    Throttle,
    Unavailable,
    Undeliverable,
)

_PREFIX: Final = "19900000"

_REFUSALS: Final = {
    "101": Code.BUSINESS_LIMIT_CONTROL,
    "102": Code.DAY_LIMIT_CONTROL,
    "103": Code.AMOUNT_NOT_ENOUGH,
    "104": Code.OUT_OF_SERVICE,
    "105": Code.BLACK_KEY_CONTROL_LIMIT,
    "106": Code.SMS_CONTENT_ILLEGAL,
    "107": Code.SYSTEM_ERROR,
    "108": Code.GATEWAY_ERROR,
    "109": Code.RAM_PERMISSION_DENY,
}

_UNDELIVERABLE: Final = {
    "201": "MOBILE_NOT_ON_SERVICE",
    "202": "INVALID_NUMBER",
    "203": "MOBILE_IN_BLACK",
    "204": "MOBILE_SEND_LIMIT",
    "205": "MOBLLE_TERMINAL_ERROR",  # spelt so by the provider
    "206": "USER_REJECT",
    "207": "CONTENT_KEYWORD",
    "208": "SP_UNKNOWN_ERROR",
    "209": "NO_ROUTE",
}

_OTHERS: Final[dict[str, Fault]] = {
    "001": Reset(kind="reset"),
    "002": Reset(kind="reset", accepted=True),
    "003": Hang(kind="hang"),
    "004": Hang(kind="hang", accepted=True),
    "005": Drip(kind="drip"),
    "006": Latency(kind="latency", ms=800),
    "301": ReceiptLost(kind="receipt_lost"),
    "302": ReceiptLost(kind="receipt_lost", queryable=False),
    "303": ReceiptDoubled(kind="receipt_doubled"),
    "304": ReceiptDelayed(kind="receipt_delayed", seconds=10),
    "400": Throttle(kind="throttle"),
    "429": Throttle(kind="throttle", retry_after_ms=1000),
    "500": Unavailable(kind="unavailable", status=500, code="InternalError"),
    "501": Unavailable(kind="unavailable", status=500, code="InternalError", accepted=True),
    "502": Html(kind="html"),
    "503": Unavailable(kind="unavailable"),
}

MAGIC: Final[dict[str, Fault]] = {
    **{_PREFIX + end: fault for end, fault in _OTHERS.items()},
    **{_PREFIX + end: Refusal(kind="business_error", code=code) for end, code in _REFUSALS.items()},
    **{_PREFIX + end: Undeliverable(kind="undeliverable", err_code=code) for end, code in _UNDELIVERABLE.items()},
}
