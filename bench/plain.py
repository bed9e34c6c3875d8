"""What people write: a Celery app with its defaults, a task that calls the SDK, a view that calls `apply_async`."""

import os
from typing import TYPE_CHECKING

from celery import Celery
from flask import Flask, request

if TYPE_CHECKING:
    from alibabacloud_dysmsapi20170525.client import Client

app = Celery("plain", broker=os.environ.get("PLAIN_BROKER", "redis://127.0.0.1:6379/0"), set_as_current=False)
app.conf.update(task_ignore_result=True, task_acks_late=True, worker_hijack_root_logger=False)


@app.task(shared=False)
def send(to: str, code: str = "123456") -> None:
    """Send one code."""
    call(to, code)


def call(to: str, code: str) -> None:
    """Call the SDK."""
    from alibabacloud_dysmsapi20170525.models import SendSmsRequest  # noqa: PLC0415 - the view does without

    client().send_sms(
        SendSmsRequest(
            phone_numbers=to,
            sign_name="阿里云短信测试",
            template_code="SMS_154950909",
            template_param=f'{{"code":"{code}"}}',
        )
    )


_CLIENTS: dict[int, "Client"] = {}


def client() -> "Client":
    """Give this process's client."""
    from alibabacloud_dysmsapi20170525.client import Client  # noqa: PLC0415 - see above
    from alibabacloud_tea_openapi.utils_models import Config  # noqa: PLC0415 - likewise

    if os.getpid() not in _CLIENTS:
        _CLIENTS[os.getpid()] = Client(
            Config(
                access_key_id="testid",
                access_key_secret="testsecret",
                endpoint=os.environ["PLAIN_ENDPOINT"],
                protocol="http",
            )
        )
    return _CLIENTS[os.getpid()]


def view() -> Flask:
    """Build the web side: a bare view, one that queues a task, and one that calls the SDK while its client waits."""
    web = Flask("plain")

    @web.post("/bare")
    def bare() -> tuple[dict[str, str], int]:
        return {"id": "01a20a7c-e905-75d3-9d7e-0461eca33e41", "state": "queued"}, 202

    @web.post("/queued")
    def queued() -> tuple[dict[str, str], int]:
        known = request.get_json()
        return {"id": send.apply_async((known["to"], known["params"]["code"])).id, "state": "queued"}, 202

    @web.post("/sync")
    def sync() -> tuple[dict[str, str], int]:
        known = request.get_json()
        call(known["to"], known["params"]["code"])
        return {"state": "sent"}, 200

    return web
