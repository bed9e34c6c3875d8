import pytest
from structlog.testing import capture_logs

from smsgate.channels.aliyun import codes
from smsgate.channels.meaning import Meaning
from smsgate.outcome import Fault, Refused, Uncertain, Unsent

# The provider's codes by what must follow from each; written out once more, so that a slip in the table shows.
AMBIGUOUS = [
    "isp.SYSTEM_ERROR",
    "isp.GATEWAY_ERROR",
    "InternalError",
    "ServiceUnavailable",
    "IS_CLOSE",
    "SignatureNonceUsed",
]
THROTTLED = ["Throttling", "Throttling.User", "Throttling.Api", "ThrottlingException", "QPS_LIMIT_CONTROL"]
ACCOUNT = [
    "isv.DAY_LIMIT_CONTROL",
    "isv.MONTH_LIMIT_CONTROL",
    "isv.AMOUNT_NOT_ENOUGH",
    "isv.OUT_OF_SERVICE",
    "isv.ACCOUNT_NOT_EXISTS",
    "isv.ACCOUNT_ABNORMAL",
    "isv.PRODUCT_UN_SUBSCRIPT",
    "isv.PRODUCT_UNSUBSCRIBE",
    "isv.SECURITY_FROZEN_ACCOUNT",
]
CREDENTIALS = [
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "InvalidAccessKeyId.NotFound",
    "InvalidAccessKeyId.Inactive",
    "InvalidTimeStamp.Expired",
    "InvalidTimeStamp.Format",
    "isp.RAM_PERMISSION_DENY",
    "Forbidden.RAM",
    "isv.DENY_IP_RANGE",
    "InvalidVersion",
    "InvalidAction.NotFound",
    "InvalidApi.NotFound",
    "InvalidCredentials",
    "InvalidSecurityToken.Expired",
]
CONFIGURATION = [
    "isv.SMS_SIGNATURE_ILLEGAL",
    "isv.SMS_SIGN_ILLEGAL",
    "isv.SIGN_STATE_ILLEGAL",
    "isv.SIGN_NAME_ILLEGAL",
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
    "isv.SMS_TEMPLATE_ILLEGAL",
    "isv.EXTEND_CODE_ERROR",
    "isv.ONE_CODE_MULTIPLE_SIGN",
    "isv.CODE_EXCEED_LIMIT",
    "isv.CODE_ERROR",
    "PORT_NOT_REGISTERED",
    "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE",
    "isv.SMS_TEST_SIGN_TEMPLATE_LIMIT",
    "isv.SMS_TEST_NUMBER_LIMIT",
    "isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL",
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
]
MESSAGE = [
    "isv.MOBILE_NUMBER_ILLEGAL",
    "isv.MOBILE_COUNT_OVER_LIMIT",
    "isv.INVALID_PARAMETERS",
    "isv.INVALID_JSON_PARAM",
    "isv.TEMPLATE_PARAMS_ILLEGAL",
    "isv.PARAM_LENGTH_LIMIT",
    "isv.PARAM_NOT_SUPPORT_URL",
    "isv.SMS_CONTENT_ILLEGAL",
    "isv.UNSUPPORTED_CONTENT",
    "isv.BLACK_KEY_CONTROL_LIMIT",
    "isv.CUSTOMER_REFUSED",
    "MissingPhoneNumbers",
    "InvalidTemplateCode",
]


# Every code of an answer on the provider's pages: 101346, the API reference's list of error codes, 116206 and 48054.
PAGES = """
InternalError ServiceUnavailable IS_CLOSE PORT_NOT_REGISTERED QPS_LIMIT_CONTROL
Throttling Throttling.User Throttling.Api ThrottlingException
SignatureDoesNotMatch SignatureNonceUsed IncompleteSignature InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive
InvalidTimeStamp.Expired InvalidTimeStamp.Format InvalidVersion InvalidAction.NotFound InvalidApi.NotFound
InvalidCredentials Forbidden.RAM MissingPhoneNumbers MissingSignName MissingTemplateCode InvalidSendDate
isp.SYSTEM_ERROR isp.GATEWAY_ERROR isp.RAM_PERMISSION_DENY
isv.ACCOUNT_ABNORMAL isv.ACCOUNT_NOT_EXISTS isv.AMOUNT_NOT_ENOUGH isv.BLACK_KEY_CONTROL_LIMIT
isv.BUSINESS_LIMIT_CONTROL isv.CODE_ERROR isv.CODE_EXCEED_LIMIT isv.CUSTOMER_REFUSED isv.DAY_LIMIT_CONTROL
isv.DENY_IP_RANGE isv.DOMESTIC_NUMBER_NOT_SUPPORTED isv.EXTEND_CODE_ERROR isv.INVALID_JSON_PARAM
isv.INVALID_PARAMETERS isv.MOBILE_COUNT_OVER_LIMIT isv.MOBILE_NUMBER_ILLEGAL isv.MONTH_LIMIT_CONTROL
isv.ONE_CODE_MULTIPLE_SIGN isv.OUT_OF_SERVICE isv.PARAM_LENGTH_LIMIT isv.PARAM_NOT_SUPPORT_URL
isv.PRODUCT_UNSUBSCRIBE isv.PRODUCT_UN_SUBSCRIPT isv.SECURITY_FROZEN_ACCOUNT isv.SIGN_NAME_ILLEGAL
isv.SIGN_STATE_ILLEGAL isv.SMS_CONTENT_ILLEGAL isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE isv.SMS_SIGNATURE_ILLEGAL
isv.SMS_SIGNATURE_SCENE_ILLEGAL isv.SMS_SIGN_ILLEGAL isv.SMS_TEMPLATE_ILLEGAL isv.SMS_TEST_NUMBER_LIMIT
isv.SMS_TEST_SIGN_TEMPLATE_LIMIT isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL isv.TEMPLATE_MISSING_PARAMETERS
isv.TEMPLATE_PARAMS_ILLEGAL isv.UNSUPPORTED_CONTENT
"""


@pytest.mark.parametrize("code", PAGES.split())
def test_every_code_on_the_providers_pages_has_a_meaning(code: str) -> None:
    assert codes.meaning_of(code) is not None


@pytest.mark.parametrize("code", AMBIGUOUS)
def test_a_code_of_platform_trouble_leaves_the_message_uncertain(code: str) -> None:
    assert codes.outcome_of(code) == Uncertain(code)


@pytest.mark.parametrize("code", THROTTLED)
def test_a_throttled_message_is_unsent_and_waits_as_long_as_the_provider_said(code: str) -> None:
    assert codes.outcome_of(code, wait=1.5) == Unsent(code, Fault.THROTTLED, 1.5)


@pytest.mark.parametrize(
    ("listed", "fault"),
    [
        *((code, Fault.ACCOUNT) for code in ACCOUNT),
        *((code, Fault.CREDENTIALS) for code in CREDENTIALS),
        *((code, Fault.CONFIGURATION) for code in CONFIGURATION),
        *((code, Fault.MESSAGE) for code in MESSAGE),
        ("isv.TEMPLATE_MISSING_PARAMETERS", Fault.VARIABLES),
    ],
)
def test_a_refusal_bears_the_fault_of_who_has_to_act(listed: str, fault: Fault) -> None:
    assert codes.outcome_of(listed) == Refused(listed, fault)


def test_the_table_holds_no_code_that_these_tests_do_not_name() -> None:
    named = {*AMBIGUOUS, *THROTTLED, *ACCOUNT, *CREDENTIALS, *CONFIGURATION, *MESSAGE}

    assert set(codes.CODES) <= {*named, "isv.BUSINESS_LIMIT_CONTROL", "isv.TEMPLATE_MISSING_PARAMETERS"}


def test_every_meaning_but_the_ambiguous_and_the_limits_is_a_fault() -> None:
    refusals = set(Meaning) - {Meaning.AMBIGUOUS, Meaning.THROTTLED, Meaning.NUMBER_LIMIT}

    assert {Fault(meaning.value) for meaning in refusals} == {
        Fault.ACCOUNT,
        Fault.CREDENTIALS,
        Fault.CONFIGURATION,
        Fault.VARIABLES,
        Fault.MESSAGE,
    }


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("触发分钟级流控Permits:1", 60),
        ("触发小时级流控Permits:5", 3600),
        ("触发天级流控Permits:10", 86400),
        ("触发号码天级流控Permits:40", 86400),
        ("something new", 60),
    ],
)
def test_a_limit_of_a_number_waits_for_the_window_that_the_provider_names(message: str, seconds: float) -> None:
    outcome = codes.outcome_of("isv.BUSINESS_LIMIT_CONTROL", message)

    assert outcome == Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT, seconds)


def test_a_code_that_nobody_told_us_of_is_refused_and_logged_by_its_code_alone() -> None:
    with capture_logs() as logs:
        outcome = codes.outcome_of("isv.BRAND_NEW", "不能发送到13900000001")

    assert outcome == Refused("isv.BRAND_NEW", Fault.UNKNOWN)
    assert logs == [{"event": "provider_code_unknown", "log_level": "error", "code": "isv.BRAND_NEW"}]


@pytest.mark.parametrize(
    "code", ["发送失败", "sent to 13900000001", "isv.13900000001", "isv.9182", "", "<html>", "x" * 65, "Throttling.\n"]
)
def test_what_does_not_look_like_a_code_is_not_passed_on_as_one(code: str) -> None:
    assert codes.outcome_of(code).reason == "unreadable_code"
