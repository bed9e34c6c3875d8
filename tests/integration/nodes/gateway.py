"""A whole gateway of real processes, and the questions that tests ask of it."""

import itertools
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis
import requests

from smsgate.ledger.api_keys import ApiKeys
from smsgate.sandbox.process import SandboxProcess
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.until import PATIENCE, until
from tests.integration.nodes.web_node import WebNode
from tests.integration.nodes.worker_node import WorkerNode

SIGN: Final = "阿里云短信测试"
TEMPLATE: Final = "SMS_154950909"
# Seconds for which a worker waits for the provider's answer; the settings allow no less than 1.
READ_TIMEOUT: Final = 1.5
# The shortest times that the settings allow, and do not make a message uncertain for good too early.
IMPATIENT: Final = {
    "SMSGATE_SETTLING_SECONDS": "3",
    "SMSGATE_OVERDUE_SECONDS": "5",
    "SMSGATE_RECEIPT_TIMEOUT_HOURS": "0.001",
    "SMSGATE_WEBHOOK_ALLOW_PRIVATE": "true",
}
# Every test writes to numbers of its own, so that tests can share a gateway.
_NUMBERS: Final = itertools.count(13900000001)


def fresh_phone() -> str:
    return str(next(_NUMBERS))


def otp_to(phone: str) -> dict[str, Any]:
    """Write a code as a request's body."""
    return {"to": phone, "template": TEMPLATE, "params": {"code": "135790"}, "lane": "otp"}


def worker_settings(redis_url: str, sandbox: SandboxProcess, *, guarded: bool = False) -> dict[str, str]:
    """Give the settings with which a worker sends to the sandbox.

    Without `guarded` its channel has neither breaker nor rate, so that what one test does to one message does nothing
    to the next one's; and it needs no beat, which lets go what these keep back.
    """
    return {
        **({} if guarded else {"SMSGATE_CONFIG": str(Path(__file__).with_name("one_by_one.toml"))}),
        "SMSGATE_REDIS_URL": redis_url,
        "SMSGATE_SIGN": SIGN,
        "SMSGATE_ALIYUN_ENDPOINT": sandbox.endpoint,
        "SMSGATE_ALIYUN_PROTOCOL": "http",
        "SMSGATE_ALIYUN_READ_TIMEOUT": str(READ_TIMEOUT),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "testid",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsecret",
    }


@dataclass(frozen=True, slots=True)
class Gateway:
    """Redis, provider, web and perhaps a worker; `environment` is what another program needs to take part."""

    redis_node: RedisNode
    database: int
    sandbox: SandboxProcess
    web: WebNode
    environment: dict[str, str]
    folder: Path
    key: str
    worker: WorkerNode | None = None

    @property
    def redis(self) -> redis.Redis:
        return self.redis_node.connect(self.database)

    @property
    def redis_url(self) -> str:
        return self.redis_node.database(self.database)

    def new_key(self, client: str) -> str:
        return ApiKeys(self.redis).create(client)

    def post(self, message: dict[str, Any], key: str | None = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.web.ask("POST", "/v1/messages", key or self.key, json=message, headers=named)

    def send(self, phone: str | None = None, **fields: Any) -> str:
        """Have an OTP accepted over HTTP; gives its id."""
        answer = self.post({**otp_to(phone or fresh_phone()), **fields})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def show(self, message_id: str) -> dict[str, Any]:
        answer = self.web.ask("GET", f"/v1/messages/{message_id}", self.key)
        assert answer.status_code in (200, 404), answer.text
        return dict(answer.json()) if answer.ok else {"state": None}

    def until_state(self, message_id: str, *states: str, within: float = PATIENCE) -> dict[str, Any]:
        """Wait until a message is in one of these states; gives what its reader is told."""
        seen: dict[str, Any] = {}

        def is_there() -> dict[str, Any] | None:
            seen.update(self.show(message_id))
            there = seen["state"] in states
            assert there or not seen.get("final"), f"{message_id} is not {' or '.join(states)} but at its end"
            return seen if there else None

        try:
            return until(is_there, f"{message_id} is {' or '.join(states)}", within)
        except AssertionError as error:
            raise AssertionError(f"{error}: {json.dumps(seen, ensure_ascii=False)}") from None

    def received(self, message_id: str) -> list[dict[str, Any]]:
        """List the SMS that the provider accepted for a message."""
        return self.sandbox.messages(out_id=message_id)

    def until_idle(self) -> None:
        """Wait until no task waits and none is in a worker's hands."""
        until(lambda: not self.tasks(), "every task has ended")

    def tasks(self) -> list[str]:
        """List the tasks that wait in a queue or are in a worker's hands, as Redis holds them; not the chores."""
        waiting = [entry for queue in QUEUES for entry in self.redis.lrange(queue, 0, -1)]
        in_hand = [json.dumps(json.loads(entry)[0]) for entry in self.redis.hvals("unacked")]
        return [task for task in (*waiting, *in_hand) if '"routing_key": "sms.chores"' not in task]

    def push(self, *reports: dict[str, Any]) -> requests.Response:
        """Push receipts as the provider does."""
        return self.web.ask("POST", self.web.callback(), json=list(reports))

    def python(self, program: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program in a process that has only these settings, and none of ours."""
        return self.run(sys.executable, "-c", program, *arguments, **settings)

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


QUEUES: Final = ("sms.otp", "sms.notice", "sms.bulk", "sms.receipts", "sms.chores", "sms.questions", "sms.webhooks")


def report(message_id: str, phone: str, **other: Any) -> dict[str, Any]:
    """Write a report as the provider documents it."""
    return {
        "phone_number": phone,
        "send_time": "2026-01-02 03:04:05",
        "report_time": "2026-01-02 03:04:09",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "932702304080415357^0",
        "out_id": message_id,
        **other,
    }


def states(known: dict[str, Any]) -> list[str]:
    return [event["state"] for event in known["timeline"]]
