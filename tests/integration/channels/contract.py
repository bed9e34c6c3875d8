"""What each provider has to bring, so that its channel inherits the tests of every channel (test_contract*.py).

A channel of another provider gets an entry in PROVIDERS; its sandbox may be any HTTP server that speaks its protocol.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from smsgate.channels.channel import Channel, Submission
from smsgate.channels.registry import build
from smsgate.message import MessageId
from smsgate.phone import parse

PHONE = "13900000001"
CODE = "918273"

# The keys of the tests, as the SDKs look for them. Aliyun's default chain would ask a cloud host's metadata service,
# which is not here.
KEYS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "testid",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsecret",
    "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
    "TENCENTCLOUD_SECRET_ID": "testid",
    "TENCENTCLOUD_SECRET_KEY": "testsecret",
}

Say = tuple[Mapping[str, Any], int]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider as the tests see it; answers are bodies with their HTTP status."""

    name: str
    template: str
    options: Mapping[str, Any]
    key_options: Mapping[str, str]  # the options that name the variables of a key → the variables that the SDK reads
    asked_for: Callable[[Any], str]  # what a request on the wire gives as our message's id
    accepted: Callable[[str], Say]  # the answer that accepts under an id of the provider
    throttled: Say
    refused: Say  # a refusal of the message, with number and code in its text
    unknown: Say  # a code that nobody has heard of, likewise
    secrets: tuple[str, ...]  # what only the SDK's requests hold

    def channel(self, endpoint: str, **options: Any) -> Channel:
        """Build the channel to a server at this address."""
        return build(self.name, self.name, {**self.options, "endpoint": endpoint, "protocol": "http", **options})

    def submission(self, message_id: str = "m-1", to: str = PHONE, code: str = CODE) -> Submission:
        return Submission(MessageId(message_id), parse(to), "阿里云短信测试", self.template, {"code": code})

    def accept(self, exchange: Any, asked: Any) -> None:
        """Accept, with an id that shows whose answer it is."""
        body, status = self.accepted(f"biz-{self.asked_for(asked)}")
        exchange.reply(body, status, {"Content-Type": "application/json"})

    def saying(self, say: Say) -> Callable[[Any, Any], None]:
        body, status = say
        return lambda exchange, _asked: exchange.reply(body, status, {"Content-Type": "application/json"})


def _aliyun(code: str, **more: str) -> dict[str, str]:
    return {"Code": code, "Message": f"{PHONE} {CODE}", "RequestId": "r", **more}


def _tencent(**body: Any) -> Say:
    return {"Response": {**body, "RequestId": "r"}}, 200


def _status(code: str, serial: str = "") -> Say:
    return _tencent(SendStatusSet=[{"SerialNo": serial, "Code": code, "Message": f"{PHONE} {CODE}"}])


ALIYUN = Provider(
    name="aliyun",
    template="SMS_154950909",
    options={},
    key_options={
        "key_id_env": "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "key_secret_env": "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    },
    asked_for=lambda asked: str(asked.query["OutId"]),
    accepted=lambda provider_id: (_aliyun("OK", BizId=provider_id), 200),
    throttled=(_aliyun("Throttling.User"), 400),
    refused=(_aliyun("isv.MOBILE_NUMBER_ILLEGAL"), 200),
    unknown=(_aliyun("Brand.New"), 400),
    secrets=("ACS3-HMAC", "PhoneNumbers"),
)
TENCENT = Provider(
    name="tencent",
    template="154950909",
    options={"app_id": "1400006666"},
    key_options={"key_id_env": "TENCENTCLOUD_SECRET_ID", "key_secret_env": "TENCENTCLOUD_SECRET_KEY"},
    asked_for=lambda asked: str(json.loads(asked.body)["SessionContext"]),
    accepted=lambda provider_id: _status("Ok", provider_id),
    throttled=_tencent(Error={"Code": "RequestLimitExceeded", "Message": PHONE}),
    refused=_status("InvalidParameterValue.IncorrectPhoneNumber"),
    unknown=_status("Brand.New"),
    secrets=("TC3-HMAC", "PhoneNumberSet"),
)
PROVIDERS = {provider.name: provider for provider in (ALIYUN, TENCENT)}
