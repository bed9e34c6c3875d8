"""The provider's error codes in an answer, and what each means for us.

Sources: help.aliyun.com/document_detail/101346 (API codes) and 48054 (the gateway's), with transcriptions where the
pages are cut. A code that is not here is refused as unknown and logged: add it, with its meaning, to this table.
"""

from typing import Final

from smsgate.channels.failure import Failure
from smsgate.channels.meaning import Meaning, failure_of

CODES: Final[dict[str, Meaning]] = {
    # "Call again", says the page; for a send nobody knows whether the first call went through.
    "isp.SYSTEM_ERROR": Meaning.AMBIGUOUS,
    "isp.GATEWAY_ERROR": Meaning.AMBIGUOUS,
    "InternalError": Meaning.AMBIGUOUS,
    "ServiceUnavailable": Meaning.AMBIGUOUS,
    "IS_CLOSE": Meaning.AMBIGUOUS,
    "SignatureNonceUsed": Meaning.AMBIGUOUS,  # a copy of this very request may have got in first
    "Throttling": Meaning.THROTTLED,
    "ThrottlingException": Meaning.THROTTLED,
    "QPS_LIMIT_CONTROL": Meaning.THROTTLED,
    "isv.BUSINESS_LIMIT_CONTROL": Meaning.NUMBER_LIMIT,  # counts over all senders: our first message may meet it
    "isv.DAY_LIMIT_CONTROL": Meaning.ACCOUNT,
    "isv.MONTH_LIMIT_CONTROL": Meaning.ACCOUNT,
    "isv.AMOUNT_NOT_ENOUGH": Meaning.ACCOUNT,
    "isv.OUT_OF_SERVICE": Meaning.ACCOUNT,
    "isv.ACCOUNT_NOT_EXISTS": Meaning.ACCOUNT,
    "isv.ACCOUNT_ABNORMAL": Meaning.ACCOUNT,
    "isv.PRODUCT_UN_SUBSCRIPT": Meaning.ACCOUNT,
    "isv.PRODUCT_UNSUBSCRIBE": Meaning.ACCOUNT,
    "isv.SECURITY_FROZEN_ACCOUNT": Meaning.ACCOUNT,
    "SignatureDoesNotMatch": Meaning.CREDENTIALS,
    "IncompleteSignature": Meaning.CREDENTIALS,
    "InvalidCredentials": Meaning.CREDENTIALS,  # the SDK's own, before any I/O
    "isp.RAM_PERMISSION_DENY": Meaning.CREDENTIALS,
    "isv.DENY_IP_RANGE": Meaning.CREDENTIALS,  # called from outside the mainland
    "InvalidVersion": Meaning.CREDENTIALS,
    "isv.SMS_SIGNATURE_ILLEGAL": Meaning.CONFIGURATION,
    "isv.SMS_SIGN_ILLEGAL": Meaning.CONFIGURATION,
    "isv.SIGN_STATE_ILLEGAL": Meaning.CONFIGURATION,
    "isv.SIGN_NAME_ILLEGAL": Meaning.CONFIGURATION,
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": Meaning.CONFIGURATION,
    "isv.SMS_TEMPLATE_ILLEGAL": Meaning.CONFIGURATION,
    "isv.EXTEND_CODE_ERROR": Meaning.CONFIGURATION,
    "isv.ONE_CODE_MULTIPLE_SIGN": Meaning.CONFIGURATION,
    "isv.CODE_EXCEED_LIMIT": Meaning.CONFIGURATION,
    "isv.CODE_ERROR": Meaning.CONFIGURATION,
    "PORT_NOT_REGISTERED": Meaning.CONFIGURATION,  # the carrier's real-name filing of the sign is not done
    "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE": Meaning.CONFIGURATION,
    "isv.SMS_TEST_SIGN_TEMPLATE_LIMIT": Meaning.CONFIGURATION,
    "isv.SMS_TEST_NUMBER_LIMIT": Meaning.CONFIGURATION,
    "isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL": Meaning.CONFIGURATION,
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": Meaning.CONFIGURATION,
    "isv.MOBILE_NUMBER_ILLEGAL": Meaning.MESSAGE,
    "isv.MOBILE_COUNT_OVER_LIMIT": Meaning.MESSAGE,
    "isv.INVALID_PARAMETERS": Meaning.MESSAGE,
    "isv.INVALID_JSON_PARAM": Meaning.MESSAGE,
    "isv.TEMPLATE_MISSING_PARAMETERS": Meaning.VARIABLES,
    "isv.TEMPLATE_PARAMS_ILLEGAL": Meaning.MESSAGE,
    "isv.PARAM_LENGTH_LIMIT": Meaning.MESSAGE,
    "isv.PARAM_NOT_SUPPORT_URL": Meaning.MESSAGE,
    "isv.SMS_CONTENT_ILLEGAL": Meaning.MESSAGE,
    "isv.UNSUPPORTED_CONTENT": Meaning.MESSAGE,
    "isv.BLACK_KEY_CONTROL_LIMIT": Meaning.MESSAGE,
    "isv.CUSTOMER_REFUSED": Meaning.MESSAGE,
}

# Families of codes, for what the table above does not name; the first that fits.
PREFIXES: Final[tuple[tuple[str, Meaning], ...]] = (
    ("Throttling.", Meaning.THROTTLED),
    ("InternalError.", Meaning.AMBIGUOUS),
    ("ServiceUnavailable.", Meaning.AMBIGUOUS),
    ("InvalidAccessKeyId", Meaning.CREDENTIALS),
    ("MissingAccessKeyId", Meaning.CREDENTIALS),
    ("InvalidSecurityToken", Meaning.CREDENTIALS),
    ("MissingSecurityToken", Meaning.CREDENTIALS),
    ("InvalidTimeStamp", Meaning.CREDENTIALS),  # the clock is off by more than 15 minutes
    ("InvalidAction", Meaning.CREDENTIALS),
    ("InvalidApi", Meaning.CREDENTIALS),
    ("Forbidden", Meaning.CREDENTIALS),
    ("Missing", Meaning.MESSAGE),  # MissingPhoneNumbers and its kind
    ("Invalid", Meaning.MESSAGE),
)

# Seconds of the window that isv.BUSINESS_LIMIT_CONTROL names in its text, such as 触发小时级流控Permits:5.
WINDOWS: Final[tuple[tuple[str, float], ...]] = (("分钟级", 60), ("小时级", 3600), ("天级", 86400))
SHORTEST_WINDOW: Final = 60.0


def meaning_of(code: str) -> Meaning | None:
    """Look a code up; None if nobody has told us of it."""
    known = CODES.get(code)
    return known or next((meaning for prefix, meaning in PREFIXES if code.startswith(prefix)), None)


def outcome_of(code: str, message: str = "", wait: float | None = None) -> Failure:
    """Turn the code of an answer into an outcome; `message` is read only for the window that it names."""
    return failure_of(code, meaning_of(code), wait=wait, window=window(message))


def window(message: str) -> float:
    """Read for how many seconds a number is closed; the shortest window where the text names none."""
    return next((seconds for name, seconds in WINDOWS if name in message), SHORTEST_WINDOW)
