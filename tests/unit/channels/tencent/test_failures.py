"""The SDK's exceptions → outcomes, for those that no socket of the tests brings about."""

import pytest
import requests
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from smsgate.channels.failure import Failure
from smsgate.channels.tencent.failures import outcome_of
from smsgate.channels.tencent.sdk import NoCredentials
from smsgate.outcome import Fault, Refused, Uncertain


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NoCredentials(), Refused("no_credentials", Fault.CREDENTIALS)),
        (TencentCloudSDKException("ServerNetworkError", b"<html>"), Uncertain("server_error")),
        (TencentCloudSDKException("ClientParamsError", "x"), Refused("request_not_built", Fault.UNKNOWN)),
        (TencentCloudSDKException(None, None), Uncertain("unparsable_answer")),
        (TencentCloudSDKException("InternalError", "x"), Uncertain("InternalError")),
        (KeyError("Response"), Uncertain("unparsable_answer")),
        (ValueError("no JSON"), Uncertain("unparsable_answer")),
        (requests.exceptions.ChunkedEncodingError("x"), Uncertain("unexpected_error")),
        (RuntimeError("x"), Uncertain("unexpected_error")),
    ],
)
def test_an_exception_says_what_is_known_of_the_message(error: Exception, outcome: Failure) -> None:
    assert outcome_of(error) == outcome


def test_a_cause_that_the_caller_was_handling_is_not_read() -> None:
    error = TencentCloudSDKException("InternalError.Timeout", "x")
    error.__context__ = ConnectionRefusedError()

    assert outcome_of(error) == Uncertain("InternalError.Timeout")
