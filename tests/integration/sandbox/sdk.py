"""The official Python SDK, pointed at a sandbox."""

import json
from typing import Any

from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions

SIGN = "阿里云短信测试"
OTP, NOTICE, PROMO, ABROAD = "SMS_154950909", "SMS_200000001", "SMS_200000002", "SMS_200000003"
PHONE = "13800138000"


def client(endpoint: str, **changed: Any) -> Client:
    config = {"access_key_id": "testid", "access_key_secret": "testsecret", "protocol": "http", **changed}
    return Client(Config(endpoint=endpoint, **config))


def request(phones: str = PHONE, **changed: Any) -> models.SendSmsRequest:
    asked = {"sign_name": SIGN, "template_code": OTP, "template_param": '{"code":"123456"}', **changed}
    return models.SendSmsRequest(phone_numbers=phones, **asked)


def batch(phones: list[str], **changed: Any) -> models.SendBatchSmsRequest:
    asked = {
        "phone_number_json": json.dumps(phones),
        "sign_name_json": json.dumps([SIGN] * len(phones)),
        "template_code": OTP,
        "template_param_json": json.dumps([{"code": f"{number:04d}"} for number in range(len(phones))]),
        **changed,
    }
    return models.SendBatchSmsRequest(**asked)


def query(day: str, phone: str = PHONE, **changed: Any) -> models.QuerySendDetailsRequest:
    asked = {"page_size": 10, "current_page": 1, **changed}
    return models.QuerySendDetailsRequest(phone_number=phone, send_date=day, **asked)


def hurried(milliseconds: int = 400) -> RuntimeOptions:
    """Wait no longer than this for an answer."""
    return RuntimeOptions(read_timeout=milliseconds, connect_timeout=milliseconds)
