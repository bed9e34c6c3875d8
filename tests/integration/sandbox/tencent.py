"""Tencent's real SDK, pointed at the sandbox; and a request of it that is held back, to be tampered with."""

import json
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

PHONE = "+8613800138000"
APP_ID = "1400006666"


def client(endpoint: str, secret_id: str = "testid", secret_key: str = "testsecret", **profile: Any) -> SmsClient:
    http = HttpProfile(protocol="http", endpoint=endpoint, reqTimeout=5)
    signing = ClientProfile(httpProfile=http, **profile)
    return SmsClient(Credential(secret_id, secret_key), "ap-guangzhou", signing)


def sending(*phones: str, session: str = "m-1", **fields: Any) -> models.SendSmsRequest:
    return _filled(
        models.SendSmsRequest(),
        {
            "PhoneNumberSet": list(phones or [PHONE]),
            "SmsSdkAppId": APP_ID,
            "SignName": "阿里云短信测试",
            "TemplateId": "154950909",
            "TemplateParamSet": ["123456"],
            "SessionContext": session,
            **fields,
        },
    )


def asking(**fields: Any) -> models.PullSmsSendStatusByPhoneNumberRequest:
    now = int(time.time())
    usual = {"BeginTime": now - 60, "EndTime": now + 60, "Offset": 0, "Limit": 100}
    return _filled(
        models.PullSmsSendStatusByPhoneNumberRequest(),
        {**usual, "PhoneNumber": PHONE, "SmsSdkAppId": APP_ID, **fields},
    )


def _filled(request: Any, fields: dict[str, Any]) -> Any:
    request.from_json_string(json.dumps(fields))
    return request


def code_of(call: Any) -> str:
    """Name the error that a call of the SDK ends in."""
    try:
        call()
    except TencentCloudSDKException as error:
        return str(error.code)
    return "no error"


@dataclass
class Held:
    """A request as the SDK has signed it, before it goes out."""

    endpoint: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, sdk: SmsClient, endpoint: str, action: str = "SendSms") -> "Held":
        request = RequestInternal(endpoint, "POST", "/", header={})
        sdk._build_req_inter(action, json.loads(sending().to_json_string()), request)  # noqa: SLF001 - to hold it back
        return cls(endpoint, dict(request.header), request.data.encode())

    def send(self, method: str = "POST", path: str = "/") -> str:
        """Send it; returns the code of the error in the answer."""
        connection = HTTPConnection(self.endpoint, timeout=5)
        try:
            connection.request(method, path, self.body, self.headers)
            answer = connection.getresponse()
            assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
            response = json.loads(answer.read())["Response"]
        finally:
            connection.close()
        return str(response.get("Error", {}).get("Code", "no error"))
