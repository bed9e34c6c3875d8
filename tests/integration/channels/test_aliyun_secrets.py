"""Nothing that the SDK knows may be written anywhere: a whole process's output is searched for it."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smsgate.outcome import Fault, Refused, Sent, Unsent
from tests.integration.channels.programs import outcomes, run

SECRETS = ("13900000001", "918273", "testid", "testsecret", "ACS3-HMAC", "PhoneNumbers", "SMS_154950909")


def send(endpoint: str, *messages: str, **env: str | None) -> subprocess.CompletedProcess[str]:
    return run("loud_sender.py", "aliyun", endpoint, *messages, **env)


def without_keys(home: Path) -> dict[str, str | None]:
    return {"HOME": str(home), "ALIBABA_CLOUD_ACCESS_KEY_ID": None, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": None}


def silent(exchange: Any, _: object) -> None:
    exchange.server.scene.over.wait(10)


REFUSAL = {"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "13900000001 918273", "RequestId": "r"}


DETAIL = {"PhoneNum": "13900000001", "Content": "918273", "TemplateCode": "SMS_154950909", "SendStatus": 3}
FOUND = {"Code": "OK", "TotalCount": "1", "SmsSendDetailDTOs": {"SmsSendDetailDTO": [DETAIL | {"OutId": "m-1"}]}}
UNREADABLE = FOUND | {"SmsSendDetailDTOs": {"SmsSendDetailDTO": DETAIL}}
ANSWERS: dict[str, Callable[[Any, Any], None]] = {
    "Known(": lambda exchange, _: exchange.reply(FOUND),
    "unparsable_answer": lambda exchange, _: exchange.reply(UNREADABLE),
    "server_error": lambda exchange, _: exchange.reply(REFUSAL, status=500),
    "isv.MOBILE_NUMBER_ILLEGAL": lambda exchange, _: exchange.reply(REFUSAL),
    "Brand.New": lambda exchange, _: exchange.reply(REFUSAL | {"Code": "Brand.New"}, status=400),
    "read_timeout": silent,
    "connection_reset": lambda exchange, _: exchange.reset(),
}


@pytest.mark.parametrize("env", [{}, {"DEBUG": "sdk"}])
def test_no_answer_to_a_question_writes_number_text_or_key_anywhere(env: dict[str, str], wire: Any, scene: Any) -> None:
    rest = list(ANSWERS.values())

    def answer_in_turn(exchange: Any, asked: Any) -> None:
        rest.pop(0)(exchange, asked)

    scene.answer = answer_in_turn

    done = run("loud_seeker.py", wire.endpoint, str(len(ANSWERS)), **env)

    lines = [line for line in done.stdout.splitlines() if line.startswith("=> ")]
    assert [word for word, line in zip(ANSWERS, lines, strict=True) if word not in line] == []
    assert "a line that shows that logs are written" in done.stderr
    assert done.stderr.count("Traceback") == 1
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr] == []


def test_without_credentials_a_message_is_refused_before_anything_is_sent(
    wire: Any, scene: Any, tmp_path: Path
) -> None:
    done = send(wire.endpoint, "m-1", **without_keys(tmp_path))

    assert outcomes(done) == {"m-1": Refused("no_credentials", Fault.CREDENTIALS)}
    assert scene.asked == []


def test_a_message_is_unsent_while_the_source_of_a_roles_credentials_does_not_answer(
    wire: Any, scene: Any, tmp_path: Path
) -> None:
    expiring = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 300))
    lent = {"Code": "Success", "AccessKeyId": "STS.testid", "AccessKeySecret": "testsecret", "SecurityToken": "token"}

    def lend_once(exchange: Any) -> None:
        exchange.reply(lent | {"Expiration": expiring})
        scene.credentials = lambda later: later.reset()

    scene.credentials = lend_once

    done = send(
        wire.endpoint,
        "m-1",
        "m-2",
        **without_keys(tmp_path),
        ALIBABA_CLOUD_CREDENTIALS_URI=f"http://{wire.endpoint}/role",
    )

    assert outcomes(done) == {"m-1": Sent("biz-m-1"), "m-2": Unsent("credentials_unreachable", Fault.CREDENTIALS)}
    assert [asked.query["OutId"] for asked in scene.asked] == ["m-1"]
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr] == []
