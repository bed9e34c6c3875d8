"""The official Python SDK sends, asks and looks up, over a real socket and both signatures."""

import asyncio
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client

from smsgate.sandbox.process import SandboxProcess
from tests.integration.nodes.until import until
from tests.integration.sandbox import sdk

CODE = re.compile(r"[0-9]{4}")
PHONES = [f"138{number:08d}" for number in range(1000)]


@pytest.fixture(params=["ACS3-HMAC-SHA256", "v2"])
def signed(request: pytest.FixtureRequest, sandbox: SandboxProcess) -> Client:
    algorithm = None if request.param == "ACS3-HMAC-SHA256" else request.param
    return sdk.client(sandbox.endpoint, signature_algorithm=algorithm)


def today() -> str:
    return datetime.now(ZoneInfo("Asia/Shanghai")).strftime("%Y%m%d")


def test_send_sms_reaches_the_phone(signed: Client, sandbox: SandboxProcess) -> None:
    body = signed.send_sms(sdk.request(out_id="order ~*'()/1")).body
    assert body.code == "OK"
    (message,) = sandbox.messages(phone=sdk.PHONE)
    assert message["biz_id"] == body.biz_id
    assert message["out_id"] == "order ~*'()/1"
    assert message["text"] == "【阿里云短信测试】您的验证码为：123456，请勿泄露于他人！"


def test_send_sms_async_reaches_the_phone(signed: Client, sandbox: SandboxProcess) -> None:
    body = asyncio.run(signed.send_sms_async(sdk.request())).body
    assert body.code == "OK"
    assert len(sandbox.messages(phone=sdk.PHONE)) == 1


def test_send_batch_sms_sends_each_number_its_own_text(signed: Client, sandbox: SandboxProcess) -> None:
    body = signed.send_batch_sms(sdk.batch(PHONES[:100], out_id="batch")).body
    assert body.code == "OK"
    texts = {message["phone"]: message["text"] for message in sandbox.messages(out_id="batch")}
    codes = {phone: CODE.findall(text) for phone, text in texts.items()}
    assert codes == {phone: [f"{number:04d}"] for number, phone in enumerate(PHONES[:100])}


def test_send_batch_sms_async_sends(signed: Client, sandbox: SandboxProcess) -> None:
    body = asyncio.run(signed.send_batch_sms_async(sdk.batch(PHONES[:2]))).body
    assert body.code == "OK"
    assert len(sandbox.messages()) == 2


def test_a_thousand_numbers_fit_into_one_request_line(signed: Client, sandbox: SandboxProcess) -> None:
    written = ",".join(f"+86{phone}" for phone in PHONES)
    assert signed.send_sms(sdk.request(written, out_id="many")).body.code == "OK"
    assert {message["phone"] for message in sandbox.messages(out_id="many")} == set(PHONES)


def test_temporary_credentials_are_taken(sandbox: SandboxProcess) -> None:
    for algorithm in (None, "v2"):
        client = sdk.client(sandbox.endpoint, security_token="a token", signature_algorithm=algorithm)
        assert client.send_sms(sdk.request()).body.code == "OK"


def test_query_send_details_follows_a_message_to_its_end(signed: Client, sandbox: SandboxProcess) -> None:
    biz_id = signed.send_sms(sdk.request(out_id="m-1")).body.biz_id

    def settled() -> models.QuerySendDetailsResponseBody | None:
        body = signed.query_send_details(sdk.query(today(), biz_id=biz_id)).body
        return body if body.sms_send_detail_dtos.sms_send_detail_dto[0].send_status == 3 else None

    body = until(settled, "the message is delivered")
    (detail,) = body.sms_send_detail_dtos.sms_send_detail_dto
    assert (body.code, body.total_count) == ("OK", "1")
    assert (detail.phone_num, detail.out_id, detail.err_code) == (sdk.PHONE, "m-1", "DELIVERED")
    assert detail.content == "【阿里云短信测试】您的验证码为：123456，请勿泄露于他人！"
    assert detail.template_code == sdk.OTP
    assert detail.send_date <= detail.receive_date


def test_query_send_details_pages_newest_first(client: Client) -> None:
    for number in range(5):
        client.send_sms(sdk.request(out_id=str(number)))

    def page(number: int, size: int = 2) -> list[str]:
        body = client.query_send_details(sdk.query(today(), page_size=size, current_page=number)).body
        assert body.total_count == "5"
        return [detail.out_id for detail in body.sms_send_detail_dtos.sms_send_detail_dto]

    assert [page(1), page(2), page(3), page(4)] == [["4", "3"], ["2", "1"], ["0"], []]


def test_query_send_details_knows_undelivered_and_waiting_messages(client: Client) -> None:
    for phone in ("19900000201", "19900000302"):
        client.send_sms(sdk.request(phone))

    def status(phone: str) -> tuple[int, str | None]:
        body = client.query_send_details(sdk.query(today(), phone)).body
        detail = body.sms_send_detail_dtos.sms_send_detail_dto[0]
        return detail.send_status, detail.err_code

    until(lambda: status("19900000201") == (2, "MOBILE_NOT_ON_SERVICE"), "the receipt says why")
    assert status("19900000302") == (1, None)


def test_query_send_details_knows_nothing_of_another_day_or_number(client: Client) -> None:
    client.send_sms(sdk.request())
    assert client.query_send_details(sdk.query("20200101")).body.total_count == "0"
    assert client.query_send_details(sdk.query(today(), "13900000000")).body.total_count == "0"


def test_templates_and_signs_can_be_looked_up(signed: Client) -> None:
    template = signed.get_sms_template(models.GetSmsTemplateRequest(template_code=sdk.OTP)).body
    assert (template.code, template.template_status, template.template_type) == ("OK", "1", "0")
    assert template.template_content == "您的验证码为：${code}，请勿泄露于他人！"
    sign = signed.get_sms_sign(models.GetSmsSignRequest(sign_name=sdk.SIGN)).body
    assert (sign.code, sign.sign_name, sign.sign_status) == ("OK", sdk.SIGN, 1)


def test_a_message_abroad_goes_out_with_a_template_for_abroad(client: Client, sandbox: SandboxProcess) -> None:
    body = client.send_sms(sdk.request("85298765432", template_code=sdk.ABROAD)).body
    assert body.code == "OK"
    assert sandbox.messages(phone="85298765432")[0]["text"].endswith("Do not share it with anyone.")
