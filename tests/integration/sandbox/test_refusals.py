"""What the provider refuses, the sandbox refuses, and the SDK raises or returns the same."""

import json
import time
from typing import Any

import pytest
import requests
from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException

from smsgate.sandbox.process import SandboxProcess
from tests.integration.sandbox import sdk
from tests.unit.sandbox.signer import acs3_headers, rpc_parameters

TOO_MANY = ",".join(f"138{number:08d}" for number in range(1001))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"phones": "12345"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"phones": f"{sdk.PHONE},"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"phones": "85298765432"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"phones": TOO_MANY}, "isv.MOBILE_COUNT_OVER_LIMIT"),
        ({"sign_name": "unknown"}, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"template_code": "SMS_0"}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"sign_name": "短信网关验证", "template_code": sdk.NOTICE}, "isv.SMS_SIGNATURE_SCENE_ILLEGAL"),
        ({"template_code": sdk.ABROAD}, "isv.DOMESTIC_NUMBER_NOT_SUPPORTED"),
        ({"template_param": None}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"template_param": '{"other":"1234"}'}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"template_param": '{"code":123456}'}, "isv.INVALID_JSON_PARAM"),
        ({"template_param": "123456"}, "isv.INVALID_JSON_PARAM"),
        ({"template_param": '{"code":"12"}'}, "isv.TEMPLATE_PARAMS_ILLEGAL"),
        ({"out_id": "x" * 256}, "isv.INVALID_PARAMETERS"),
    ],
)
def test_send_sms_refuses(client: Client, sandbox: SandboxProcess, changed: dict[str, Any], code: str) -> None:
    body = client.send_sms(sdk.request(**changed)).body
    assert (body.code, body.biz_id) == (code, None)
    assert body.message
    assert sandbox.messages() == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"phone_number_json": json.dumps(TOO_MANY.split(",")[:101])}, "isv.MOBILE_COUNT_OVER_LIMIT"),
        ({"phone_number_json": "13800138000"}, "isv.INVALID_JSON_PARAM"),
        ({"phone_number_json": "[13800138000, 13800138001]"}, "isv.INVALID_JSON_PARAM"),
        ({"sign_name_json": json.dumps([sdk.SIGN])}, "isv.INVALID_PARAMETERS"),
        ({"template_param_json": '[{"code":"1234"}]'}, "isv.INVALID_PARAMETERS"),
        ({"template_param_json": '[{"code":"1234"},{"code":5}]'}, "isv.INVALID_JSON_PARAM"),
        ({"template_param_json": None}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"sign_name_json": json.dumps([sdk.SIGN, "unknown"])}, "isv.SMS_SIGNATURE_ILLEGAL"),
    ],
)
def test_send_batch_sms_refuses_all_or_nothing(
    client: Client, sandbox: SandboxProcess, changed: dict[str, Any], code: str
) -> None:
    body = client.send_batch_sms(sdk.batch(["13800138000", "13800138001"], **changed)).body
    assert (body.code, body.biz_id) == (code, None)
    assert sandbox.messages() == []


@pytest.mark.parametrize(
    ("request_type", "filled", "code"),
    [
        (models.SendSmsRequest, {"sign_name": "s", "template_code": "t"}, "MissingPhoneNumbers"),
        (models.SendSmsRequest, {"phone_numbers": "1", "template_code": "t"}, "MissingSignName"),
        (models.SendSmsRequest, {"phone_numbers": "1", "sign_name": "s"}, "MissingTemplateCode"),
        (models.SendBatchSmsRequest, {}, "MissingPhoneNumberJson"),
        (models.QuerySendDetailsRequest, {}, "MissingPhoneNumber"),
        (models.GetSmsTemplateRequest, {}, "MissingTemplateCode"),
        (models.GetSmsSignRequest, {}, "MissingSignName"),
    ],
)
def test_a_missing_parameter_is_named(
    client: Client, request_type: type[Any], filled: dict[str, str], code: str
) -> None:
    calls = {
        models.SendSmsRequest: client.send_sms,
        models.SendBatchSmsRequest: client.send_batch_sms,
        models.QuerySendDetailsRequest: client.query_send_details,
        models.GetSmsTemplateRequest: client.get_sms_template,
        models.GetSmsSignRequest: client.get_sms_sign,
    }
    with pytest.raises(ClientException) as refused:
        calls[request_type](request_type(**filled))
    assert (refused.value.status_code, refused.value.code) == (400, code)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"page_size": 51}, "InvalidPageSize"),
        ({"page_size": "ten"}, "InvalidPageSize"),
        ({"current_page": "0"}, "InvalidCurrentPage"),
        ({"send_date": "2026-11-24"}, "InvalidSendDate"),
    ],
)
def test_query_send_details_refuses_what_is_out_of_range(client: Client, changed: dict[str, Any], code: str) -> None:
    asked = sdk.query("20261124")
    for name, value in changed.items():
        setattr(asked, name, value)
    with pytest.raises(ClientException) as refused:
        client.query_send_details(asked)
    assert refused.value.code == code


def test_what_does_not_exist_cannot_be_looked_up(client: Client) -> None:
    template = client.get_sms_template(models.GetSmsTemplateRequest(template_code="SMS_0")).body
    assert template.code == "isv.SMS_TEMPLATE_ILLEGAL"
    sign = client.get_sms_sign(models.GetSmsSignRequest(sign_name="unknown")).body
    assert sign.code == "isv.SMS_SIGNATURE_ILLEGAL"


@pytest.mark.parametrize("algorithm", [None, "v2"])
@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"access_key_id": "unknown"}, 404, "InvalidAccessKeyId.NotFound"),
        ({"access_key_secret": "wrong"}, 400, "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_key_is_refused(
    sandbox: SandboxProcess, algorithm: str | None, changed: dict[str, str], status: int, code: str
) -> None:
    client = sdk.client(sandbox.endpoint, signature_algorithm=algorithm, **changed)
    with pytest.raises(ClientException) as refused:
        client.send_sms(sdk.request())
    assert (refused.value.status_code, refused.value.code) == (status, code)
    assert set(refused.value.data) >= {"RequestId", "Code", "Message", "HostId", "Recommend"}


def test_another_action_of_the_sdk_is_not_found(client: Client) -> None:
    with pytest.raises(ClientException) as refused:
        client.query_sms_template_list(models.QuerySmsTemplateListRequest())
    assert (refused.value.status_code, refused.value.code) == (404, "InvalidAction.NotFound")


def sent(sandbox: SandboxProcess, **changed: str) -> tuple[int, str]:
    """Send a request that is signed for this moment, as changed."""
    date = changed.pop("x_acs_date", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    headers = acs3_headers({}, host=sandbox.endpoint, x_acs_date=date, **changed)
    answer = requests.post(f"{sandbox.url}/", headers=headers, timeout=5)
    return answer.status_code, answer.json()["Code"]


def test_a_replayed_request_is_refused(sandbox: SandboxProcess) -> None:
    assert sent(sandbox, x_acs_signature_nonce="replayed") == (400, "MissingPhoneNumbers")
    assert sent(sandbox, x_acs_signature_nonce="replayed") == (400, "SignatureNonceUsed")


def test_an_old_request_is_refused(sandbox: SandboxProcess) -> None:
    old = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1000))
    assert sent(sandbox, x_acs_signature_nonce="old", x_acs_date=old) == (400, "InvalidTimeStamp.Expired")
    assert sent(sandbox, x_acs_signature_nonce="odd", x_acs_date="now") == (400, "InvalidTimeStamp.Format")


def test_another_version_is_refused(sandbox: SandboxProcess) -> None:
    assert sent(sandbox, x_acs_signature_nonce="version", x_acs_version="2018-05-01") == (400, "InvalidVersion")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_old_core_sdk_sends_by_query_and_by_form(sandbox: SandboxProcess, method: str) -> None:
    parameters = {
        "PhoneNumbers": sdk.PHONE,
        "SignName": sdk.SIGN,
        "TemplateCode": sdk.OTP,
        "TemplateParam": '{"code":"1234"}',
        "RegionId": "cn-hangzhou",
        "SignatureNonce": f"old core {method}",
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    signed = rpc_parameters(method, parameters)
    place = {"params": signed} if method == "GET" else {"data": signed}
    answer = requests.request(method, f"{sandbox.url}/", timeout=5, **place)  # type: ignore[arg-type]
    assert answer.json()["Code"] == "OK"
    assert len(sandbox.messages(phone=sdk.PHONE)) == 1


def test_flow_control_speaks_as_the_provider_does() -> None:
    with SandboxProcess(flow_control=True) as limited:
        client = sdk.client(limited.endpoint)
        assert client.send_sms(sdk.request()).body.code == "OK"
        body = client.send_sms(sdk.request()).body
        assert (body.code, body.message) == ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1")
        assert client.send_sms(sdk.request("13800138001")).body.code == "OK"
        assert len(limited.messages()) == 2
