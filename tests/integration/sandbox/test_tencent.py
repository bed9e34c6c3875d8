"""Tencent's real SDK against the sandbox: what it accepts, lists and reports."""

import pytest
from tencentcloud.sms.v20210111.sms_client import SmsClient

from smsgate.sandbox.process import SandboxProcess
from tests.integration.nodes.until import until
from tests.integration.sandbox import tencent
from tests.integration.sandbox.receiver import Receiver
from tests.integration.sandbox.tencent import PHONE, asking, code_of, sending

GOOD = (200, b'{"result":0,"errmsg":"OK"}')


@pytest.fixture
def sms(sandbox: SandboxProcess) -> SmsClient:
    return tencent.client(sandbox.endpoint)


def test_each_number_has_a_status_of_its_own(sms: SmsClient, sandbox: SandboxProcess) -> None:
    statuses = sms.SendSms(sending(PHONE, "123", "+8613800138001")).SendStatusSet

    assert [status.Code for status in statuses] == ["Ok", "InvalidParameterValue.IncorrectPhoneNumber", "Ok"]
    assert [status.PhoneNumber for status in statuses] == [PHONE, "123", "+8613800138001"]
    assert len({status.SerialNo for status in statuses}) == 3
    assert {status.SessionContext for status in statuses} == {"m-1"}
    messages = sandbox.messages(out_id="m-1")
    assert [(message["phone"], message["service"]) for message in messages] == [
        ("13800138001", "tencent"),
        ("13800138000", "tencent"),
    ]
    assert messages[0]["text"] == "【阿里云短信测试】您的验证码为：123456，请勿泄露于他人！"


def test_variables_fill_the_text_in_their_order(sms: SmsClient, sandbox: SandboxProcess) -> None:
    sms.SendSms(sending(TemplateId="200000001", TemplateParamSet=["张三", "A-1", "周五"]))

    assert sandbox.messages()[0]["text"] == "【阿里云短信测试】张三，您的订单A-1已发货，预计周五送达。"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"TemplateParamSet": []}, "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
        ({"TemplateParamSet": ["1", "2"]}, "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
        ({"TemplateParamSet": ["123456789"]}, "InvalidParameterValue.TemplateParameterFormatError"),
        ({"TemplateId": "1"}, "FailedOperation.TemplateUnapprovedOrNotExist"),
        ({"TemplateId": "200000003"}, "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone"),
        ({"SignName": "x"}, "FailedOperation.SignatureIncorrectOrUnapproved"),
    ],
)
def test_what_is_wrong_with_a_message_is_the_code_of_its_number(
    fields: dict[str, object], code: str, sms: SmsClient, sandbox: SandboxProcess
) -> None:
    [status] = sms.SendSms(sending(**fields)).SendStatusSet

    assert (status.Code, status.SerialNo, sandbox.messages()) == (code, "", [])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"SmsSdkAppId": "1"}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
        ({"SmsSdkAppId": ""}, "MissingParameter"),
        ({"PhoneNumberSet": []}, "MissingParameter.EmptyPhoneNumberSet"),
        ({"PhoneNumberSet": [PHONE] * 201}, "LimitExceeded.PhoneNumberCountLimit"),
        ({"SessionContext": "x" * 512}, "InvalidParameter.InvalidParameters"),
        ({"TemplateParamSet": [1]}, "InvalidParameter"),
    ],
)
def test_what_is_wrong_with_the_call_is_an_error_of_it(fields: dict[str, object], code: str, sms: SmsClient) -> None:
    assert code_of(lambda: sms.SendSms(sending(**fields))) == code


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+8619900000101", "LimitExceeded.PhoneNumberThirtySecondLimit"),
        ("+8619900000103", "FailedOperation.InsufficientBalanceInSmsPackage"),
        ("+8619900000104", "UnauthorizedOperation.ServiceSuspendDueToArrears"),
        ("+8619900000105", "FailedOperation.PhoneNumberInBlacklist"),
    ],
)
def test_magic_numbers_are_refused_in_this_providers_words(number: str, code: str, sms: SmsClient) -> None:
    [status] = sms.SendSms(sending(number)).SendStatusSet

    assert status.Code == code


def test_a_fault_may_strike_one_service_only(sms: SmsClient, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="throttle", match={"service": "aliyun"})
    assert sms.SendSms(sending()).SendStatusSet[0].Code == "Ok"

    sandbox.fault(kind="throttle", match={"service": "tencent"})
    assert code_of(lambda: sms.SendSms(sending())) == "RequestLimitExceeded"


def test_statuses_are_listed_once_the_carrier_has_spoken(sms: SmsClient, sandbox: SandboxProcess) -> None:
    serial = sms.SendSms(sending()).SendStatusSet[0].SerialNo

    listed = until(lambda: sms.PullSmsSendStatusByPhoneNumber(asking()).PullSmsSendStatusSet, "it is listed")

    assert [(one.SerialNo, one.ReportStatus, one.Description) for one in listed] == [(serial, "SUCCESS", "DELIVRD")]
    assert (listed[0].PhoneNumber, listed[0].SubscriberNumber) == (PHONE, "13800138000")
    # As for every account that has not asked for more.
    assert listed[0].SessionContext == ""


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Limit": 101}, "InvalidParameterValue.LimitVerifyFail"),
        ({"Offset": 1}, "InvalidParameterValue.OffsetVerifyFail"),
        ({"BeginTime": 2, "EndTime": 1}, "InvalidParameterValue.InvalidStartTime"),
        ({"PhoneNumber": ""}, "MissingParameter"),
    ],
)
def test_a_question_is_checked(fields: dict[str, object], code: str, sms: SmsClient) -> None:
    assert code_of(lambda: sms.PullSmsSendStatusByPhoneNumber(asking(**fields))) == code


def test_a_report_names_the_message_by_its_serial_number(
    sms: SmsClient, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    receiver.answers = [(200, b'{"code":0}'), GOOD]
    sandbox.callbacks(tencent_report_url=receiver.url)
    serial = sms.SendSms(sending()).SendStatusSet[0].SerialNo

    until(lambda: len(receiver.pushes) == 2, "the report is pushed again")

    [report] = receiver.pushes[1]
    assert report == {
        "user_receive_time": sandbox.messages()[0]["settled_at"],
        "nationcode": "86",
        "mobile": "13800138000",
        "report_status": "SUCCESS",
        "errmsg": "DELIVRD",
        "description": "用户短信送达成功",
        "sid": serial,
    }
    until(lambda: sandbox.stats()["tencent_reports"]["pushed"] == 1, "it is counted")


def test_our_context_comes_back_where_that_was_opened(receiver: Receiver) -> None:
    with SandboxProcess(report_delay=0.01, tencent_sessions=True, tencent_report_url=receiver.url) as sandbox:
        sms = tencent.client(sandbox.endpoint)
        sms.SendSms(sending(session="m-7"))
        until(lambda: receiver.items, "a report is pushed")
        [listed] = sms.PullSmsSendStatusByPhoneNumber(asking()).PullSmsSendStatusSet

    assert (receiver.items[0]["ext"], listed.SessionContext) == ("m-7", "m-7")


def test_an_unreached_phone_is_reported_in_the_carriers_words(
    sms: SmsClient, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    receiver.answers = [GOOD]
    sandbox.callbacks(tencent_report_url=receiver.url)
    sms.SendSms(sending("+8619900000201"))

    report = until(lambda: receiver.items, "a report is pushed")[0]

    assert (report["report_status"], report["errmsg"]) == ("FAIL", "UNDELIV")


def test_a_reply_is_pushed_as_one_object(sandbox: SandboxProcess, receiver: Receiver) -> None:
    receiver.answers = [GOOD]
    sandbox.callbacks(tencent_up_url=receiver.url)

    sandbox.reply("13800138000", "TD", service="tencent", sign_name="s")
    until(lambda: receiver.pushes, "a reply is pushed")

    reply: object = receiver.pushes[0]
    assert isinstance(reply, dict)
    assert reply.pop("time") > 0
    assert reply == {"extend": "", "nationcode": "86", "mobile": "13800138000", "sign": "s", "text": "TD"}
