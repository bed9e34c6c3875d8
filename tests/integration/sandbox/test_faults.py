"""Each fault as the SDK meets it, and whether the phone has the message afterwards."""

import asyncio
import time
from typing import Any

import pytest
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from darabonba.exceptions import UnretryableException

from smsgate.sandbox.process import SandboxProcess
from tests.integration.nodes.until import until
from tests.integration.sandbox import sdk


def chain(error: BaseException | None) -> list[str]:
    """Name every error behind an error."""
    names: list[str] = []
    while error is not None:
        names.append(type(error).__name__)
        error = getattr(error, "inner_exception", None) or error.__cause__ or error.__context__
    return names


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"kind": "unavailable"}, (ServerException, 503, "ServiceUnavailable")),
        ({"kind": "unavailable", "status": 500, "code": "InternalError"}, (ServerException, 500, "InternalError")),
        ({"kind": "html"}, (UnretryableException, None, None)),
        ({"kind": "html", "status": 504}, (UnretryableException, None, None)),
        ({"kind": "reset"}, (UnretryableException, None, None)),
        ({"kind": "hang", "seconds": 30}, (UnretryableException, None, None)),
    ],
)
def test_a_fault_is_raised_and_the_phone_has_the_message_only_if_it_was_accepted(
    client: Client, sandbox: SandboxProcess, spec: dict[str, Any], expected: tuple[Any, ...], accepted: bool
) -> None:
    raised, status, code = expected
    posted = sandbox.fault(**spec, accepted=accepted, count=1)
    assert posted["phone_receives"] is accepted
    with pytest.raises(raised) as failure:
        client.send_sms_with_options(sdk.request(), sdk.hurried())
    assert getattr(failure.value, "status_code", None) == status
    assert getattr(failure.value, "code", None) == code
    assert len(sandbox.messages()) == accepted
    assert client.send_sms(sdk.request()).body.code == "OK"


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        ({"kind": "reset"}, "ConnectionResetError"),
        ({"kind": "hang"}, "ReadTimeout"),
        ({"kind": "html"}, "RuntimeError"),
    ],
)
def test_the_cause_of_a_broken_connection_is_the_real_one(
    client: Client, sandbox: SandboxProcess, spec: dict[str, str], cause: str
) -> None:
    sandbox.fault(**spec)
    with pytest.raises(UnretryableException) as failure:
        client.send_sms_with_options(sdk.request(), sdk.hurried())
    assert cause in chain(failure.value)


def test_the_async_sdk_meets_a_reset_too(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="reset", accepted=True, count=1)
    with pytest.raises(UnretryableException):
        asyncio.run(client.send_sms_async(sdk.request()))
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize("code", ["Throttling", "Throttling.User", "Throttling.Api"])
def test_throttling_is_a_client_error(client: Client, sandbox: SandboxProcess, code: str) -> None:
    sandbox.fault(kind="throttle", code=code)
    with pytest.raises(ClientException) as throttled:
        client.send_sms(sdk.request())
    assert (throttled.value.status_code, throttled.value.code) == (400, code)
    assert sandbox.messages() == []


def test_throttling_with_a_time_to_wait_is_an_error_of_its_own(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="throttle", retry_after_ms=1500)
    with pytest.raises(ThrottlingException) as throttled:
        client.send_sms(sdk.request())
    assert (throttled.value.code, throttled.value.retry_after) == ("Throttling.User", 1500)


def test_a_business_error_raises_nothing(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="business_error", code="isv.AMOUNT_NOT_ENOUGH", count=1)
    body = client.send_sms(sdk.request()).body
    assert (body.code, body.message, body.biz_id) == ("isv.AMOUNT_NOT_ENOUGH", "账户余额不足", None)
    assert sandbox.messages() == []


def test_a_slow_answer_comes_late_and_the_message_at_once(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="latency", ms=300)
    began = time.monotonic()
    assert client.send_sms(sdk.request()).body.code == "OK"
    assert time.monotonic() - began >= 0.3


def test_a_client_that_does_not_wait_for_a_slow_answer_has_sent_all_the_same(
    client: Client, sandbox: SandboxProcess
) -> None:
    sandbox.fault(kind="latency", distribution={"shape": "uniform", "low_ms": 5000, "high_ms": 6000})
    with pytest.raises(UnretryableException):
        client.send_sms_with_options(sdk.request(out_id="late"), sdk.hurried(200))
    assert len(sandbox.messages(out_id="late")) == 1


def test_a_dripping_answer_outlasts_a_read_timeout_that_is_shorter(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="drip", seconds=0.8)
    began = time.monotonic()
    assert client.send_sms_with_options(sdk.request(), sdk.hurried(400)).body.code == "OK"
    assert time.monotonic() - began >= 0.7
    assert len(sandbox.messages()) == 1


def test_an_outage_concerns_every_action_and_ends_by_itself(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="outage", seconds=0.5)
    with pytest.raises(ServerException):
        client.send_sms(sdk.request())
    with pytest.raises(ServerException):
        client.query_send_details(sdk.query("20261124"))
    until(lambda: not sandbox.stats()["faults"], "the outage is over")
    assert client.send_sms(sdk.request()).body.code == "OK"


def test_a_closed_socket_refuses_connections_and_comes_back_by_itself(client: Client, sandbox: SandboxProcess) -> None:
    assert client.send_sms(sdk.request()).body.code == "OK"
    sandbox.fault(kind="refuse", seconds=1.5)
    with pytest.raises(UnretryableException) as refused:
        client.send_sms(sdk.request())
    assert "ConnectionRefusedError" in chain(refused.value)

    def back() -> bool:
        try:
            return sandbox.stats()["messages"]["accepted"] == 1
        except ConnectionError:
            return False

    until(back, "the socket listens again")
    assert client.send_sms(sdk.request()).body.code == "OK"


def test_a_fault_strikes_only_its_number(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="reset", match={"phone": "13900000000"})
    assert client.send_sms(sdk.request()).body.code == "OK"
    with pytest.raises(UnretryableException):
        client.send_sms(sdk.request("13900000000"))
    with pytest.raises(UnretryableException):
        client.send_batch_sms(sdk.batch([sdk.PHONE, "13900000000"]))


@pytest.mark.parametrize(
    ("phone", "code"),
    [("19900000101", "isv.BUSINESS_LIMIT_CONTROL"), ("19900000107", "isp.SYSTEM_ERROR"), ("19900000201", "OK")],
)
def test_magic_numbers_work_without_a_control_request(client: Client, phone: str, code: str) -> None:
    assert client.send_sms(sdk.request(phone)).body.code == code


def test_every_ending_is_counted(client: Client, sandbox: SandboxProcess) -> None:
    client.send_sms(sdk.request())
    client.send_sms(sdk.request("19900000103"))
    for phone in ("19900000002", "19900000502", "19900000400"):
        with pytest.raises((ClientException, UnretryableException)):
            client.send_sms(sdk.request(phone))
    assert sandbox.stats()["requests"] == {
        "total": 5,
        "by_action": {
            "SendSms": {
                "OK": 1,
                "isv.AMOUNT_NOT_ENOUGH": 1,
                "(reset, accepted)": 1,
                "(html 502)": 1,
                "Throttling.User": 1,
            }
        },
    }


def test_losses_and_duplicates_can_be_seen_from_outside(client: Client, sandbox: SandboxProcess) -> None:
    for out_id in ("once", "twice", "twice"):
        client.send_sms(sdk.request(out_id=out_id))
    stats = sandbox.stats()
    assert stats["duplicates"] == {
        "pairs": 1,
        "extra_messages": 1,
        "examples": [{"phone": sdk.PHONE, "out_id": "twice", "times": 2}],
    }
    assert sandbox.messages(out_id="lost") == []
