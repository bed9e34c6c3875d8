"""Levels and pauses as operators meet them: the command, the web process, workers and beat."""

import time
from typing import Any

import pytest

from smsgate.ledger.api_keys import ApiKeys
from tests.integration.nodes.gateway import TEMPLATE, Gateway, fresh_phone, otp_to
from tests.integration.nodes.until import until


def _run(gateway: Gateway, *words: str) -> str:
    done = gateway.run("smsgate", *words, SMSGATE_REDIS_URL=gateway.redis_url)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _notice() -> dict[str, Any]:
    return {**otp_to(fresh_phone()), "lane": "notice"}


def _ready(gateway: Gateway) -> dict[str, Any]:
    answer = gateway.web.ask("GET", "/readyz")
    assert answer.status_code == 200
    return dict(answer.json())


def _level(gateway: Gateway) -> int:
    return int(_ready(gateway)["level"])


def test_at_level_3_a_notice_is_refused_and_a_code_delivered_until_the_rule_is_back(degradable: Gateway) -> None:
    told = _run(degradable, "degrade", "3", "--reason", "drill")
    assert "level 3 only_codes" in told
    until(lambda: _level(degradable) == 3, "the web process knows the level")

    refused = degradable.post(_notice())
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json()["type"] == "urn:smsgate:problem:degraded"
    assert refused.json()["level"] == 3
    assert _ready(degradable)["paused"] == {"notice": "degradation", "bulk": "degradation"}
    degradable.until_state(degradable.send(), "delivered")
    assert "drill" in _run(degradable, "degrade")

    _run(degradable, "degrade", "auto")
    until(lambda: _level(degradable) == 0, "the web process knows the level")
    accepted = degradable.post(_notice())
    assert accepted.status_code == 202
    degradable.until_state(accepted.json()["id"], "delivered", within=30)


def test_at_level_1_bulk_messages_wait_and_go_when_the_level_falls(degradable: Gateway) -> None:
    _run(degradable, "degrade", "1")
    time.sleep(1.1)  # for as long as a worker trusts what it has read
    held = degradable.send(lane="bulk")
    degradable.until_state(degradable.send(lane="notice"), "delivered")
    assert degradable.show(held)["state"] == "queued"
    _run(degradable, "degrade", "auto")
    degradable.until_state(held, "delivered")


@pytest.mark.parametrize("lane", ["otp", "notice"])
def test_the_messages_of_a_paused_template_wait_and_go_when_it_is_resumed(degradable: Gateway, lane: str) -> None:
    _run(degradable, "pause", "template", TEMPLATE, "--reason", "a slip")
    assert "a slip" in _run(degradable, "pauses")
    time.sleep(1.1)  # for as long as a worker trusts what it has read
    held = [degradable.send(lane=lane) for _ in range(3)]
    time.sleep(4)
    assert {degradable.show(one)["state"] for one in held} == {"queued"}
    assert {degradable.show(one)["attempts"] for one in held} == {0}
    assert degradable.tasks() == []
    _run(degradable, "resume", "template", TEMPLATE)
    for one in held:
        assert degradable.until_state(one, "delivered")["attempts"] == 1


def test_a_client_is_paused_over_http_by_an_operator_and_others_go_on(degradable: Gateway) -> None:
    operator = ApiKeys(degradable.redis).create("ops", operator=True)
    other = degradable.new_key("other")
    degradable.web.ask("PUT", "/v1/pauses/client/tests", operator, json={"reason": "wild"}).raise_for_status()
    time.sleep(1.1)
    held = degradable.send()
    answer = degradable.post(otp_to(fresh_phone()), other)
    goes = answer.json()["id"]
    until(
        lambda: degradable.web.ask("GET", f"/v1/messages/{goes}", other).json()["state"] == "delivered",
        "the other client's code is delivered",
    )
    assert degradable.show(held)["state"] == "queued"
    degradable.web.ask("DELETE", "/v1/pauses/client/tests", operator).raise_for_status()
    degradable.until_state(held, "delivered")


@pytest.mark.timeout(120)
def test_when_the_provider_hangs_and_codes_back_up_the_level_rises_and_falls_again(degradable: Gateway) -> None:
    degradable.sandbox.fault(kind="hang")
    try:
        for _ in range(25):
            degradable.send()
        until(lambda: _level(degradable) >= 2, "the level rises", within=30)
        assert "code" in _run(degradable, "degrade")
    finally:
        degradable.sandbox.clear_faults()
    until(lambda: _level(degradable) == 0, "the level falls", within=45)
    degradable.until_state(degradable.send(), "delivered")
    assert "level_changed" in str(degradable.worker and degradable.worker.every_log())
