"""One SMS by the official SDK, or a hundred in a call: the work that every queue is given.

A number tells the messages apart at the provider, so that what is lost and what is sent twice can be counted there.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from time import perf_counter
from typing import Final

from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendBatchSmsRequest, SendSmsRequest
from alibabacloud_tea_openapi.utils_models import Config

REDIS: Final = os.environ["PEER_REDIS"]
THREADS: Final = int(os.environ.get("PEER_THREADS", "8"))
# Seconds after which a killed worker's messages are taken again, where a queue lets one choose and this is given.
PATIENCE: Final = int(os.environ.get("PEER_PATIENCE", "0"))

_SIGN: Final = "阿里云短信测试"
_TEMPLATE: Final = "SMS_154950909"
_CODE: Final = "123456"

_CLIENT: Final = Client(
    Config(
        access_key_id="testid",
        access_key_secret="testsecret",
        endpoint=os.environ["PEER_ENDPOINT"],
        protocol="http",
    )
)


def send(number: int) -> None:
    """Send one code and wait for the provider's answer."""
    _CLIENT.send_sms(_request(number))


async def send_async(number: int) -> None:
    """Send one code by the SDK's own asynchronous call."""
    await _CLIENT.send_sms_async(_request(number))


def send_together(numbers: Sequence[int]) -> None:
    """Send one code to each of up to a hundred numbers in one call."""
    _CLIENT.send_batch_sms(
        SendBatchSmsRequest(
            phone_number_json=json.dumps([_phone(number) for number in numbers]),
            sign_name_json=json.dumps([_SIGN] * len(numbers), ensure_ascii=False),
            template_code=_TEMPLATE,
            template_param_json=json.dumps([{"code": _CODE}] * len(numbers)),
        )
    )


def _request(number: int) -> SendSmsRequest:
    return SendSmsRequest(
        phone_numbers=_phone(number),
        sign_name=_SIGN,
        template_code=_TEMPLATE,
        template_param=json.dumps({"code": _CODE}),
    )


def _phone(number: int) -> str:
    return f"137{number:08d}"


def main(program: str, first: str, amount: str) -> None:
    """Enqueue so many messages, one after the other, and print how many went in a second."""
    numbers: Iterable[int] = range(int(first), int(first) + int(amount))
    enqueue = import_module(program).enqueue
    enqueue(range(0))
    began = perf_counter()
    enqueue(numbers)
    print(int(amount) / (perf_counter() - began))


if __name__ == "__main__":
    main(*sys.argv[1:])
