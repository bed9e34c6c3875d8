"""Redis goes and comes back: nothing is half accepted, nothing is lost, nothing is sent twice."""

import threading
import time
from uuid import uuid4

import pytest
from pytest_celery import CeleryTestSetup

from tests.integration.nodes.gateway import Gateway, fresh_phone, otp_to, report, states
from tests.integration.nodes.until import until


def _assert_nothing_is_half_written(gateway: Gateway) -> None:
    """Every record that waits has its task, and every task its record."""
    tasks = " ".join(gateway.tasks())
    records = [str(key) for key in gateway.redis.keys("sms:msg:*")]
    for key in records:
        if gateway.redis.hget(key, "state") == "queued":
            assert key.removeprefix("sms:msg:") in tasks, f"{key} has no task"
    for task in gateway.tasks():
        assert any(key.removeprefix("sms:msg:") in task for key in records), f"a task without a record: {task}"


@pytest.mark.timeout(180)
def test_redis_killed_and_restarted_costs_callers_a_503_and_nothing_else(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, before, during = own_gateway, fresh_phone(), fresh_phone()
    first = gateway.post(otp_to(before), Idempotency_Key="before")
    gateway.until_state(first.json()["id"], "delivered")
    gateway.until_idle()  # what is not acknowledged when Redis goes comes again after the visibility timeout only
    assert celery_setup.broker is not None

    celery_setup.broker.kill()

    began = time.monotonic()
    refused = gateway.post(otp_to(during), Idempotency_Key="during")
    assert time.monotonic() - began < 5
    assert refused.status_code == 503
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["type"] == "urn:smsgate:problem:store-unavailable"
    shown = gateway.web.ask("GET", f"/v1/messages/{first.json()['id']}", gateway.key)
    assert shown.status_code == 503
    assert gateway.push(report("x", before)).status_code == 503
    assert gateway.web.ask("GET", "/readyz").status_code == 503
    assert gateway.web.ask("GET", "/healthz").status_code == 200

    celery_setup.broker.restart()

    until(lambda: gateway.web.ask("GET", "/readyz").status_code == 200, "the web is ready again, without a restart")
    accepted = gateway.post(otp_to(during), Idempotency_Key="during")
    again = gateway.post(otp_to(before), Idempotency_Key="before")
    assert accepted.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    gateway.until_state(accepted.json()["id"], "delivered", within=30)
    gateway.until_idle()
    assert [len(gateway.sandbox.messages(phone=phone)) for phone in (before, during)] == [1, 1]
    assert celery_setup.worker is not None
    assert celery_setup.worker.container.status == "running"


@pytest.mark.timeout(180)
def test_messages_accepted_while_redis_is_killed_are_whole_or_refused(bare_gateway: Gateway) -> None:
    gateway, accepted, refused, stop = bare_gateway, list[str](), list[str](), threading.Event()

    def client() -> None:
        while not stop.is_set():
            key = str(uuid4())
            answer = gateway.web.session.post(
                f"{gateway.web.url}/v1/messages",
                json=otp_to(fresh_phone()),
                headers={"Authorization": f"Bearer {gateway.key}", "Idempotency-Key": key},
                timeout=10,
            )
            (accepted if answer.status_code == 202 else refused).append(
                answer.json().get("id", str(answer.status_code))
            )

    clients = [threading.Thread(target=client) for _ in range(3)]
    for thread in clients:
        thread.start()
    until(lambda: len(accepted) > 50, "messages are being accepted")
    gateway.redis_node.kill("SIGKILL")
    until(lambda: refused, "messages are being refused")
    count = len(accepted)
    gateway.redis_node.restart()
    until(lambda: len(accepted) > count + 20, "messages are being accepted again")
    stop.set()
    for thread in clients:
        thread.join()

    assert set(refused) == {"503"}
    tasks = " ".join(gateway.tasks())
    assert [message_id for message_id in accepted if message_id not in tasks] == []
    _assert_nothing_is_half_written(gateway)


@pytest.mark.timeout(180)
def test_a_call_under_way_while_redis_is_away_is_settled_when_it_is_back(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, phone = own_gateway, fresh_phone()
    gateway.sandbox.fault(kind="latency", ms=1000, match={"phone": phone})
    gateway.sandbox.fault(kind="receipt_lost", match={"phone": phone})
    message_id = gateway.send(phone)
    until(lambda: gateway.received(message_id), "the provider has the message")
    assert celery_setup.broker is not None

    celery_setup.broker.kill()
    until(lambda: gateway.web.ask("GET", "/readyz").status_code == 503, "Redis is gone")
    celery_setup.broker.restart()

    known = gateway.until_state(message_id, "sent", within=30)
    assert states(known) == ["queued", "sending", "sent"]
    assert len(gateway.received(message_id)) == 1


@pytest.mark.timeout(180)
def test_a_redis_that_falls_silent_costs_a_503_in_time_and_the_repeated_request_is_one_sms(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, phone = own_gateway, fresh_phone()
    assert celery_setup.broker is not None
    gateway.until_state(gateway.send(), "delivered")  # from now on the web knows the key, and asks for nothing first
    gateway.until_idle()

    celery_setup.broker.kill("SIGSTOP")
    began = time.monotonic()
    silent = gateway.post(otp_to(phone), Idempotency_Key="silent")
    took = time.monotonic() - began
    celery_setup.broker.kill("SIGCONT")

    assert silent.status_code == 503
    assert took < 5
    # Redis had the request before it fell silent, and carries it out when it wakes.
    until(lambda: gateway.sandbox.messages(phone=phone), "the message goes out")
    assert "Nothing was accepted" not in silent.json()["detail"]
    again = until(
        lambda: [answer] if (answer := gateway.post(otp_to(phone), Idempotency_Key="silent")).ok else [],
        "the repeated request is accepted",
    )
    gateway.until_state(again[0].json()["id"], "delivered", within=30)
    gateway.until_idle()
    assert len(gateway.sandbox.messages(phone=phone)) == 1


@pytest.mark.timeout(180)
def test_a_worker_that_is_told_to_end_while_redis_is_silent_ends_in_its_time(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, phones = own_gateway, [fresh_phone() for _ in range(4)]
    for phone in phones:
        gateway.sandbox.fault(kind="latency", ms=2000, match={"phone": phone})
    ids = [gateway.send(phone) for phone in phones]
    until(lambda: all(map(gateway.received, ids)), "calls are under way")
    assert celery_setup.broker is not None
    assert celery_setup.worker is not None
    assert gateway.worker is not None

    celery_setup.broker.kill("SIGSTOP")
    try:
        celery_setup.worker.kill("SIGTERM")
        gateway.worker.wait(45)
    finally:
        celery_setup.broker.kill("SIGCONT")


def test_a_redis_that_is_full_refuses_messages_whole(bare_gateway: Gateway) -> None:
    gateway = bare_gateway
    before = gateway.redis.dbsize()
    gateway.redis.config_set("maxmemory", 1)

    refused = gateway.post(otp_to(fresh_phone()), Idempotency_Key="full")
    pushed = gateway.push(report("x", fresh_phone()))

    assert (refused.status_code, pushed.status_code) == (503, 503)
    assert gateway.redis.dbsize() == before
    gateway.redis.config_set("maxmemory", 0)
    assert gateway.post(otp_to(fresh_phone()), Idempotency_Key="full").status_code == 202
    _assert_nothing_is_half_written(gateway)
