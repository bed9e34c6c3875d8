"""The SDK's exceptions, and what each leaves us knowing of the message.

The SDK has one exception for all; its code tells an answer of the provider (as in codes) from what the SDK met itself:
`ClientNetworkError` while it asked, `ServerNetworkError` for every HTTP status but 200, which it does not tell.
"""

from collections.abc import Iterator
from typing import Final

import requests
import structlog
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException  # type: ignore[import-untyped]

from smsgate.channels.failure import Failure
from smsgate.channels.tencent import codes
from smsgate.channels.tencent.sdk import NoCredentials
from smsgate.channels.transport import TIME_LIMITS, outcome_among
from smsgate.outcome import Fault, Refused, Uncertain

log = structlog.get_logger(__name__)

NETWORK: Final = "ClientNetworkError"
STATUS: Final = "ServerNetworkError"
# The SDK's own complaints of what it was given, before any I/O.
OURS: Final = frozenset({"ClientError", "ClientParamsError"})
# What the SDK stumbles over in an answer that is no JSON, or JSON of another shape.
SHAPES: Final = (ValueError, LookupError, TypeError, AttributeError)


def outcome_of(error: Exception) -> Failure:
    """Turn what the SDK raised into an outcome that holds nothing of its text."""
    if any(type(cause).__name__ in TIME_LIMITS for cause in causes(error)):
        return Uncertain("time_limit")
    match error:
        case NoCredentials():
            return Refused("no_credentials", Fault.CREDENTIALS)
        case TencentCloudSDKException():
            return _told(error)
        case requests.RequestException():
            return _transport(error)
        case _ if isinstance(error, SHAPES):
            return Uncertain("unparsable_answer")
        case _:
            return _unexpected(error)


def _told(error: TencentCloudSDKException) -> Failure:
    code = str(error.code or "")
    if code == NETWORK:
        return _transport(error)
    if code == STATUS:
        return Uncertain("server_error")
    if code in OURS:
        log.error("tencent_request_not_built", code=code)
        return Refused("request_not_built", Fault.UNKNOWN)
    return codes.outcome_of(code) if code else Uncertain("unparsable_answer")


def _transport(error: Exception) -> Failure:
    return outcome_among(tuple(causes(error))) or _unexpected(error)


def _unexpected(error: Exception) -> Failure:
    deepest = tuple(causes(error))[-1]
    log.error("tencent_call_failed_unexpectedly", error=type(error).__name__, cause=type(deepest).__name__)
    return Uncertain("unexpected_error")


def causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception of the SDK to what lies behind it.

    `__context__` is followed from the SDK's own exception only, and only where it wraps an error of the network, for
    there it was raised straight from the cause. Elsewhere it may lead out of the call: to an exception that our caller
    was handling.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting.extend(_behind(one))


def _behind(error: BaseException) -> list[BaseException]:
    wraps = isinstance(error, TencentCloudSDKException) and error.code == NETWORK
    direct = [error.__context__] if wraps else []
    named = [getattr(error, "reason", None), error.__cause__]
    return [cause for cause in (*named, *direct, *error.args) if isinstance(cause, BaseException)]
