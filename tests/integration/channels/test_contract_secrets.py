"""Nothing that an SDK knows may be written anywhere: a whole process's output is searched for it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from smsgate.outcome import Fault, Refused, Sent, Uncertain, Unsent
from tests.integration.channels.contract import CODE, PHONE, Provider
from tests.integration.channels.programs import outcomes, run


def silent(exchange: Any, _: object) -> None:
    exchange.server.scene.over.wait(10)


def broken_headers(provider: Provider) -> Callable[[Any, Any], None]:
    """Answer with a header that urllib3 complains of in a warning with the whole URL."""

    def answer(exchange: Any, asked: Any) -> None:
        body = json.dumps(provider.accepted(f"biz-{provider.asked_for(asked)}")[0])
        fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        exchange.wfile.write(f"HTTP/1.1 200 OK\r\n{fields}no colon here\r\nX: y\r\n\r\n{body}".encode())
        exchange.hang_up()

    return answer


def ways(provider: Provider) -> dict[str, Callable[[Any, Any], None]]:
    return {
        "html": lambda exchange, _: exchange.reply(f"<html>{PHONE}</html>".encode()),
        "error": lambda exchange, _: exchange.reply(provider.refused[0], status=500),
        "refusal": provider.saying(provider.refused),
        "unknown": provider.saying(provider.unknown),
        "silent": silent,
        "reset": lambda exchange, _: exchange.reset(),
        "headers": broken_headers(provider),
    }


@pytest.mark.parametrize("env", [{}, {"DEBUG": "sdk"}])
def test_no_failure_writes_number_code_or_key_anywhere(
    provider: Provider, env: dict[str, str], wire: Any, scene: Any, free_port: int
) -> None:
    answers = ways(provider)
    scene.answer = lambda exchange, asked: answers[provider.asked_for(asked)](exchange, asked)
    elsewhere = (f"127.0.0.1:{free_port}=refused", "sms.invalid=dns")

    done = run("loud_sender.py", provider.name, wire.endpoint, *answers, *elsewhere, **env)

    found = outcomes(done)
    refusal = found.pop("refusal")
    assert found == {
        "html": Uncertain("unparsable_answer"),
        "error": Uncertain("server_error"),
        "unknown": Refused("Brand.New", Fault.UNKNOWN),
        "silent": Uncertain("read_timeout"),
        "reset": Uncertain("connection_reset"),
        "headers": Sent("biz-headers"),
        "refused": Unsent("connect_refused", Fault.PROVIDER),
        "dns": Unsent("dns", Fault.PROVIDER),
    }
    assert isinstance(refusal, Refused)
    assert refusal.fault is Fault.MESSAGE
    assert "a line that shows that logs are written" in done.stderr
    assert done.stderr.count("Traceback") == 1
    secrets = (PHONE, CODE, "testid", "testsecret", provider.template, *provider.secrets)
    assert [secret for secret in secrets if secret in done.stdout + done.stderr] == []
