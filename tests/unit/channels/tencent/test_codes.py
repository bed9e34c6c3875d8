"""The provider's codes → ours: every code that the SDK lists has a meaning, and those that matter most have theirs."""

import pytest
from structlog.testing import capture_logs
from tencentcloud.sms.v20210111 import errorcodes

from smsgate.channels.failure import Failure
from smsgate.channels.meaning import Meaning
from smsgate.channels.tencent import codes
from smsgate.outcome import Fault, Refused, Uncertain, Unsent

SDKS = [value for name, value in vars(errorcodes).items() if name.isupper()]
# Of managing signs and templates, or said of nothing in particular: a send that meets one is for somebody to look at.
NOT_OF_SENDING = {
    "FailedOperation.ForbidAddMarketingTemplates",
    "FailedOperation.MissingSignatureToModify",
    "FailedOperation.MissingTemplateToModify",
    "FailedOperation.ParametersOtherError",
    "FailedOperation.ProhibitSubAccountUse",
    "FailedOperation.QualificationIdNotApproved",
    "FailedOperation.SignNumberLimit",
    "FailedOperation.TemplateAlreadyPassedCheck",
    "FailedOperation.TemplateNumberLimit",
}


def test_every_code_that_the_sdk_lists_and_sending_can_meet_is_known() -> None:
    assert len(SDKS) > 80
    assert {code for code in SDKS if codes.meaning_of(code) is None} == NOT_OF_SENDING


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("RequestLimitExceeded", Unsent("RequestLimitExceeded", Fault.THROTTLED)),
        (
            "RequestLimitExceeded.UinLimitExceeded",
            Unsent("RequestLimitExceeded.UinLimitExceeded", Fault.THROTTLED),
        ),
        (
            "LimitExceeded.PhoneNumberThirtySecondLimit",
            Unsent("LimitExceeded.PhoneNumberThirtySecondLimit", Fault.RECIPIENT, 30.0),
        ),
        (
            "LimitExceeded.PhoneNumberOneHourLimit",
            Unsent("LimitExceeded.PhoneNumberOneHourLimit", Fault.RECIPIENT, 3600.0),
        ),
        (
            "LimitExceeded.PhoneNumberSameContentDailyLimit",
            Unsent("LimitExceeded.PhoneNumberSameContentDailyLimit", Fault.RECIPIENT, 86400.0),
        ),
        ("InternalError.Timeout", Uncertain("InternalError.Timeout")),
        ("InternalError", Uncertain("InternalError")),
        (
            "FailedOperation.InsufficientBalanceInSmsPackage",
            Refused("FailedOperation.InsufficientBalanceInSmsPackage", Fault.ACCOUNT),
        ),
        ("LimitExceeded.AppDailyLimit", Refused("LimitExceeded.AppDailyLimit", Fault.ACCOUNT)),
        ("AuthFailure.SignatureExpire", Refused("AuthFailure.SignatureExpire", Fault.CREDENTIALS)),
        (
            "UnauthorizedOperation.SmsSdkAppIdVerifyFail",
            Refused("UnauthorizedOperation.SmsSdkAppIdVerifyFail", Fault.CREDENTIALS),
        ),
        ("MissingParameter", Refused("MissingParameter", Fault.MESSAGE)),
    ],
)
def test_a_code_says_whether_the_message_was_sent_and_whose_fault_it_was(code: str, outcome: Failure) -> None:
    assert codes.outcome_of(code) == outcome


def test_a_code_that_nobody_knows_is_refused_and_somebody_told() -> None:
    with capture_logs() as logs:
        assert codes.outcome_of("FailedOperation.BrandNew") == Refused("FailedOperation.BrandNew", Fault.UNKNOWN)

    assert [(line["log_level"], line["code"]) for line in logs] == [("error", "FailedOperation.BrandNew")]


def test_a_code_that_is_none_is_not_repeated() -> None:
    assert codes.outcome_of("+8613900000001") == Refused("unreadable_code", Fault.UNKNOWN)


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (1_767_276_000, 10 * 3600),  # 22:00 in Shanghai
        (1_767_225_600, 24 * 3600),  # 8:00 sharp: the next one
        (1_767_225_599, 1),
    ],
)
def test_marketing_waits_for_the_morning_of_shanghai(now: int, seconds: int) -> None:
    assert codes.until_morning(now) == seconds
    assert codes.meaning_of(codes.NIGHT) is Meaning.NUMBER_LIMIT
