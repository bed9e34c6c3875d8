"""The SDK's exceptions, and what each leaves us knowing of the message.

The question is always the same: can the request have reached the provider? Where it cannot, the message is unsent;
where it may have, it is uncertain and the provider has to be asked.
"""

import http
from collections.abc import Iterator
from typing import Final

import requests
import structlog
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException, ThrottlingException
from darabonba.exceptions import RetryError, UnretryableException
from Tea.exceptions import RetryError as CredentialsRetryError

from smsgate.channels.aliyun import codes
from smsgate.channels.failure import Failure
from smsgate.channels.meaning import Meaning
from smsgate.channels.transport import TIME_LIMITS, outcome_among
from smsgate.outcome import Fault, Refused, Uncertain, Unsent

log = structlog.get_logger(__name__)

# What the SDK makes of an answer without a code.
_NO_CODE: Final = frozenset({"", "None"})


def outcome_of(error: Exception) -> Failure:
    """Turn what the SDK raised into an outcome that holds nothing of its text."""
    if any(type(cause).__name__ in TIME_LIMITS for cause in causes(error)):
        return Uncertain("time_limit")
    match error:
        case AlibabaCloudException():
            return _answered(error)
        case UnretryableException(last_request=None):
            return _before_the_request(error)
        case UnretryableException():
            return _transport(error)
        case _:
            return _unexpected(error)


def _answered(error: AlibabaCloudException) -> Failure:
    """Read a 4xx or 5xx answer.

    A 5xx is uncertain even with x-acs-retry-after, which the SDK calls throttling: only a code says that it was.
    """
    code = str(error.code or "")
    meaning = codes.meaning_of(code)
    status = error.status_code or 0
    wait = error.retry_after / 1000 if error.retry_after else None
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR and meaning is not Meaning.THROTTLED:
        return Uncertain("server_error")
    if code in _NO_CODE and status != http.HTTPStatus.TOO_MANY_REQUESTS:
        return Uncertain("unparsable_answer")
    if meaning is None and (isinstance(error, ThrottlingException) or code in _NO_CODE):
        return Unsent("throttled", Fault.THROTTLED, wait)
    return codes.outcome_of(code, str(error.message), wait)


def _before_the_request(error: UnretryableException) -> Failure:
    """Name what stopped the SDK before it had a signed request in hand: surely not sent.

    No credentials in the whole chain is for an operator to mend, so it is refused like a wrong key. A role's
    credentials whose source was silent for a moment are worth another try.
    """
    for cause in causes(error):
        match cause:
            case CredentialException():
                return Refused("no_credentials", Fault.CREDENTIALS)
            case requests.RequestException() | CredentialsRetryError():
                return Unsent("credentials_unreachable", Fault.CREDENTIALS)
    log.error("aliyun_request_not_built", error=type(error.inner_exception).__name__)
    return Refused("request_not_built", Fault.UNKNOWN)


def _transport(error: UnretryableException) -> Failure:
    known = transport_outcome(error)
    if known is not None:
        return known
    if isinstance(error.inner_exception, RetryError):
        return _unexpected(error)
    # The SDK had an answer and stumbled over it: no JSON, or JSON of another shape.
    return Uncertain("unparsable_answer")


def transport_outcome(error: BaseException) -> Failure | None:
    """Find the outcome for a failure of the network; None if it was none that we know."""
    return outcome_among(tuple(causes(error)))


def _unexpected(error: Exception) -> Failure:
    deepest = tuple(causes(error))[-1]
    log.error("aliyun_call_failed_unexpectedly", error=type(error).__name__, cause=type(deepest).__name__)
    return Uncertain("unexpected_error")


def causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception of the SDK to what lies behind it.

    `__context__` is followed from a RetryError only, which the SDK raises straight from the cause. Elsewhere it may
    lead out of the call: to an exception that our caller was handling, and a wrong verdict.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting.extend(_behind(one))


def _behind(error: BaseException) -> list[BaseException]:
    named = [getattr(error, name, None) for name in ("inner_exception", "reason", "original_error", "__cause__")]
    direct = [error.__context__] if isinstance(error, RetryError | CredentialsRetryError) else []
    return [cause for cause in (*named, *direct, *error.args) if isinstance(cause, BaseException)]
