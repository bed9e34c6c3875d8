"""A full Redis accepts nothing new; what it has accepted comes to its end, and no worker ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import QUEUES, Gateway, fresh_phone, otp_to, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.outlasting import RECOVERY, assert_same_worker_delivers, until_looked_at
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode

pytestmark = pytest.mark.timeout(240)


@contextmanager
def _full(gateway: Gateway) -> Iterator[None]:
    gateway.redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        gateway.redis.config_set("maxmemory", 0)


def test_a_redis_that_is_full_while_workers_rest_costs_a_503_and_no_worker(own_gateway: Gateway) -> None:
    gateway = own_gateway
    gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()

    with _full(gateway):
        assert gateway.post(otp_to(fresh_phone())).status_code == 503
        until_looked_at(gateway)

    assert_same_worker_delivers(gateway)


def test_a_redis_that_is_full_while_workers_send_loses_nothing_and_sends_nothing_twice(own_gateway: Gateway) -> None:
    gateway = own_gateway
    phones = [fresh_phone() for _ in range(20)]
    for phone in phones:
        gateway.sandbox.fault(kind="latency", ms=400, match={"phone": phone})
    ids = [gateway.send(phone) for phone in phones]
    until(lambda: gateway.sandbox.messages(phone=phones[0]), "messages go out")

    with _full(gateway):
        assert gateway.post(otp_to(fresh_phone())).status_code == 503
        until_looked_at(gateway)
        log = gateway.worker.every_log() if gateway.worker else ""
        assert log.count("\n") < 500, "the worker takes and gives back as fast as it can"

    for message_id in ids:
        known = gateway.until_state(message_id, "delivered", "uncertain", "sent", within=60)
        assert len(gateway.received(message_id)) == 1
        # What was under way when Redis became full may have no answer noted; it is not sent again.
        assert known["state"] != "uncertain" or known["reason"] == "worker_lost"
    assert [len(gateway.sandbox.messages(phone=phone)) for phone in phones] == [1] * 20
    assert_same_worker_delivers(gateway)


def test_what_a_full_redis_has_accepted_is_tried_again_there_and_sent(own_gateway: Gateway) -> None:
    gateway, phone = own_gateway, fresh_phone()
    gateway.sandbox.fault(kind="latency", ms=800, match={"phone": phone})
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=1, retry_after_ms=500)
    gateway.sandbox.fault(kind="receipt_lost", match={"phone": phone})
    message_id = gateway.send(phone)
    until(lambda: gateway.redis.hget(f"sms:msg:{message_id}", "state") == "sending", "the first attempt is under way")

    with _full(gateway):
        assert gateway.until_state(message_id, "sent", within=30)["attempts"] == 2


def test_a_full_redis_takes_acknowledgements_and_strays(own_gateway: Gateway) -> None:
    gateway = own_gateway
    message_id = gateway.send()
    gateway.until_state(message_id, "delivered")
    gateway.until_idle()
    gateway.redis.set("ballast", "x" * 100_000)
    stuck = gateway.redis.pipeline()
    stuck.lpush("sms.otp", "rubbish").config_set("maxmemory", 1)
    stuck.execute()

    until(lambda: gateway.redis.zcard("sms:strays") == 1, "the rubbish is a stray")

    gateway.redis.config_set("maxmemory", 0)
    assert not gateway.redis.llen("sms.otp")
    assert_same_worker_delivers(gateway)


def test_a_worker_that_starts_while_redis_refuses_waits_until_it_does_not(
    bare_gateway: Gateway, tmp_path: Path, janitor: Janitor
) -> None:
    gateway = bare_gateway
    message_id = gateway.send()
    settings = worker_settings(gateway.redis_url, gateway.sandbox)
    environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="2")
    with _full(gateway):
        worker = WorkerNode.start("worker", procfile.worker_line(*QUEUES), environment, tmp_path, janitor)
        until(lambda: "broker_refuses" in worker.every_log(), "the worker has met the refusal")
        time.sleep(4)
        assert worker.runs(), worker.every_log()[-3000:]
    try:
        gateway.until_state(message_id, "delivered", within=RECOVERY)
        assert worker.runs()
    finally:
        worker.teardown()
