import pytest

from smsgate.channels.aliyun.reports import REASONS, reason_of
from smsgate.channels.reason import Reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("MOBILE_NOT_ON_SERVICE", "not_in_service"),
        ("MOBILE_ACCOUNT_ABNORMAL", "not_in_service"),
        ("INVALID_NUMBER", "invalid_number"),
        ("MOBILE_IN_BLACK", "blacklisted"),
        ("isv.BLACK_KEY_CONTROL_LIMIT", "blacklisted"),
        ("USER_REJECT", "recipient_refused"),
        ("MOBILE_SEND_LIMIT", "recipient_limit"),
        ("MOBLLE_TERMINAL_ERROR", "handset"),
        ("MOBILE_TERMINAL_ERROR", "handset"),
        ("EXPIRED", "expired"),
        ("CONTENT_KEYWORD", "content"),
        ("CONTENT_ERROR", "content"),
        ("NO_ROUTE", "no_route"),
        ("IS_CLOSE", "channel_closed"),
        ("PARAMS_ILLEGAL", "config"),
        ("SP_NOT_BY_INTER_SMS", "config"),
        ("PORT_NOT_REGISTERED", "config"),
        ("SIGNATURE_BLACKLIST", "config"),
        ("SP_UNKNOWN_ERROR", "unknown"),
    ],
)
def test_a_code_of_the_provider_has_a_stable_reason(code: str, reason: str) -> None:
    assert reason_of(code) == reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("MK:0001", "not_in_service"),
        ("MI:0059", "not_in_service"),
        ("UNDELIV", "not_in_service"),
        ("UNDELIVRD", "not_in_service"),
        ("EXPIRED_2", "expired"),
        ("NOROUTE", "no_route"),
        ("REJECTD", "unknown"),
        ("CB:0010", "unknown"),
        ("", "unknown"),
        ("DELIVERED", "unknown"),
    ],
)
def test_a_code_of_a_carrier_is_read_by_its_beginning_and_otherwise_unknown(code: str, reason: str) -> None:
    assert reason_of(code) == reason


def test_a_platform_code_that_only_the_table_of_answers_knows_is_our_configuration() -> None:
    assert reason_of("isv.OUT_OF_SERVICE") == "config"
    assert reason_of("isv.SMS_TEMPLATE_ILLEGAL") == "config"


def test_every_reason_has_a_code() -> None:
    assert set(REASONS.values()) == set(Reason)
