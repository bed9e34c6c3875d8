"""Nothing that the SDK knows may be written anywhere: a whole process's output is searched for it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent

SENDER = Path(__file__).parent / "loud_sender.py"
SEEKER = Path(__file__).parent / "loud_seeker.py"
# A fault as an outcome writes it, `<Fault.MESSAGE: 'message'>`, turned back into what Python reads.
FAULT = re.compile(r"<(Fault\.\w+): '\w+'>")
SECRETS = ("13900000001", "918273", "testid", "testsecret", "ACS3-HMAC", "PhoneNumbers", "SMS_154950909")


def send(endpoint: str, *messages: str, **env: str | None) -> subprocess.CompletedProcess[str]:
    return run(SENDER, endpoint, *messages, **env)


def run(program: Path, *arguments: str, **env: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in (os.environ | env).items() if value is not None}
    return subprocess.run(
        [sys.executable, program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, Outcome]:
    lines = [line.split(" ", 2) for line in done.stdout.splitlines() if line.startswith("=> ")]
    return {name: eval(FAULT.sub(r"\1", outcome)) for _, name, outcome in lines}


def without_keys(home: Path) -> dict[str, str | None]:
    return {"HOME": str(home), "ALIBABA_CLOUD_ACCESS_KEY_ID": None, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": None}


def silent(exchange: Any, _: object) -> None:
    exchange.server.scene.over.wait(10)


def broken_headers(exchange: Any, asked: Any) -> None:
    """Answer with a header that urllib3 complains of in a warning with the whole URL."""
    body = json.dumps({"Code": "OK", "BizId": f"biz-{asked.query['OutId']}"})
    length = f"Content-Length: {len(body)}\r\n"
    exchange.wfile.write(f"HTTP/1.1 200 OK\r\n{length}no colon here\r\nX: y\r\n\r\n{body}".encode())
    exchange.hang_up()


REFUSAL = {"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "13900000001 918273", "RequestId": "r"}
WAYS: dict[str, Callable[[Any, Any], None]] = {
    "html": lambda exchange, _: exchange.reply(b"<html>13900000001</html>"),
    "error": lambda exchange, _: exchange.reply(REFUSAL, status=500),
    "refusal": lambda exchange, _: exchange.reply(REFUSAL),
    "gateway": lambda exchange, _: exchange.reply(REFUSAL | {"Code": "Brand.New"}, status=400),
    "silent": silent,
    "reset": lambda exchange, _: exchange.reset(),
    "headers": broken_headers,
}


@pytest.mark.parametrize("env", [{}, {"DEBUG": "sdk"}])
def test_no_failure_writes_number_code_or_key_anywhere(
    env: dict[str, str], wire: Any, scene: Any, free_port: int
) -> None:
    scene.answer = lambda exchange, asked: WAYS[asked.query["OutId"]](exchange, asked)

    done = send(wire.endpoint, *WAYS, f"127.0.0.1:{free_port}=refused", "dysmsapi.invalid=dns", **env)

    assert outcomes(done) == {
        "html": Uncertain("unparsable_answer"),
        "error": Uncertain("server_error"),
        "refusal": Refused("isv.MOBILE_NUMBER_ILLEGAL", Fault.MESSAGE),
        "gateway": Refused("Brand.New", Fault.UNKNOWN),
        "silent": Uncertain("read_timeout"),
        "reset": Uncertain("connection_reset"),
        "headers": Sent("biz-headers"),
        "refused": Unsent("connect_refused", Fault.PROVIDER),
        "dns": Unsent("dns", Fault.PROVIDER),
    }
    assert "a line that shows that logs are written" in done.stderr
    assert done.stderr.count("Traceback") == 1
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr] == []


DETAIL = {"PhoneNum": "13900000001", "Content": "918273", "TemplateCode": "SMS_154950909", "SendStatus": 3}
FOUND = {"Code": "OK", "TotalCount": "1", "SmsSendDetailDTOs": {"SmsSendDetailDTO": [DETAIL | {"OutId": "m-1"}]}}
UNREADABLE = FOUND | {"SmsSendDetailDTOs": {"SmsSendDetailDTO": DETAIL}}
ANSWERS: dict[str, Callable[[Any, Any], None]] = {
    "Known(": lambda exchange, _: exchange.reply(FOUND),
    "unparsable_answer": lambda exchange, _: exchange.reply(UNREADABLE),
    "server_error": WAYS["error"],
    "isv.MOBILE_NUMBER_ILLEGAL": WAYS["refusal"],
    "Brand.New": WAYS["gateway"],
    "read_timeout": WAYS["silent"],
    "connection_reset": WAYS["reset"],
}


@pytest.mark.parametrize("env", [{}, {"DEBUG": "sdk"}])
def test_no_answer_to_a_question_writes_number_text_or_key_anywhere(env: dict[str, str], wire: Any, scene: Any) -> None:
    rest = list(ANSWERS.values())

    def answer_in_turn(exchange: Any, asked: Any) -> None:
        rest.pop(0)(exchange, asked)

    scene.answer = answer_in_turn

    done = run(SEEKER, wire.endpoint, str(len(ANSWERS)), **env)

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
