"""The codes in a report of the provider (SmsReport, QuerySendDetails), and our reasons for them.

Sources: help.aliyun.com/document_detail/101347 with transcriptions where the page is cut.
The raw code is kept in the receipt, so that a wrong guess here can be put right later.
"""

from typing import Final

from smsgate.channels.aliyun.codes import meaning_of
from smsgate.channels.meaning import Meaning
from smsgate.channels.reason import Reason, of_carrier

# `success` is the verdict; this code only says that no carrier has given one, and no final receipt need follow.
NOT_FINAL: Final = "REQUEST_SUCCESS"
DELIVERED: Final = "DELIVERED"

REASONS: Final[dict[str, Reason]] = {
    "MOBILE_NOT_ON_SERVICE": Reason.NOT_IN_SERVICE,
    "MOBILE_ACCOUNT_ABNORMAL": Reason.NOT_IN_SERVICE,  # in arrears, or ported away
    "INVALID_NUMBER": Reason.INVALID_NUMBER,
    "isv.MOBILE_NUMBER_ILLEGAL": Reason.INVALID_NUMBER,
    "MOBILE_IN_BLACK": Reason.BLACKLISTED,
    "isv.BLACK_KEY_CONTROL_LIMIT": Reason.BLACKLISTED,
    "USER_REJECT": Reason.RECIPIENT_REFUSED,
    "isv.CUSTOMER_REFUSED": Reason.RECIPIENT_REFUSED,
    "MOBILE_SEND_LIMIT": Reason.RECIPIENT_LIMIT,
    "isv.BUSINESS_LIMIT_CONTROL": Reason.RECIPIENT_LIMIT,
    "MOBLLE_TERMINAL_ERROR": Reason.HANDSET,  # spelt so by the provider
    "MOBILE_TERMINAL_ERROR": Reason.HANDSET,
    "EXPIRED": Reason.EXPIRED,
    "CONTENT_KEYWORD": Reason.CONTENT,
    "CONTENT_ERROR": Reason.CONTENT,  # a promotion without its opt-out text
    "isv.SMS_CONTENT_ILLEGAL": Reason.CONTENT,
    "isv.UNSUPPORTED_CONTENT": Reason.CONTENT,
    "isv.PARAM_NOT_SUPPORT_URL": Reason.CONTENT,
    "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE": Reason.CONTENT,
    "NO_ROUTE": Reason.NO_ROUTE,
    "IS_CLOSE": Reason.CHANNEL_CLOSED,
    "PARAMS_ILLEGAL": Reason.CONFIG,
    "SP_NOT_BY_INTER_SMS": Reason.CONFIG,  # not opened for abroad
    "PORT_NOT_REGISTERED": Reason.CONFIG,
    "SIGNATURE_BLACKLIST": Reason.CONFIG,
    "SP_UNKNOWN_ERROR": Reason.UNKNOWN,
}

_CONFIG: Final = frozenset({Meaning.ACCOUNT, Meaning.CREDENTIALS, Meaning.CONFIGURATION})


def reason_of(code: str) -> Reason:
    """Give our reason for a code of a report; unknown where the tables have none."""
    known = REASONS.get(code) or of_carrier(code)
    if known is not None:
        return known
    return Reason.CONFIG if meaning_of(code) in _CONFIG else Reason.UNKNOWN
