"""A task that comes twice, and a worker that dies in the middle of a call."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_celery import CeleryTestSetup

from smsgate.queues import Queue
from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import QUEUES, Gateway, fresh_phone, states, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode


def _entry(resting: Gateway, gateway: Gateway, phone: str) -> tuple[str, str]:
    """Have a message accepted where no worker takes it, and move its record to where one does; gives id and task."""
    message_id = resting.send(phone)
    (entry,) = (entry for entry in resting.tasks() if message_id in entry)
    assert resting.redis.lrem("sms.otp", 1, entry) == 1
    assert resting.redis.move(f"sms:msg:{message_id}", gateway.database)
    return message_id, entry


def test_a_task_that_comes_again_after_its_message_was_sent_is_dropped(gateway: Gateway, resting: Gateway) -> None:
    message_id, entry = _entry(resting, gateway, fresh_phone())
    gateway.redis.lpush("sms.otp", entry)
    gateway.until_state(message_id, "delivered")
    before = gateway.show(message_id)

    gateway.redis.lpush("sms.otp", *[entry] * 3)
    gateway.until_idle()

    assert gateway.show(message_id) == before
    assert len(gateway.received(message_id)) == 1


def test_a_task_that_six_pool_processes_have_at_once_is_one_sms(gateway: Gateway, resting: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="latency", ms=500, match={"phone": phone})
    message_id, entry = _entry(resting, gateway, phone)

    gateway.redis.lpush("sms.otp", *[entry] * 6)

    gateway.until_state(message_id, "delivered")
    gateway.until_idle()
    known = gateway.show(message_id)
    assert known["state"] == "delivered"
    assert states(known).count("sending") == 1
    assert len(gateway.received(message_id)) == 1


def test_a_task_that_two_workers_have_at_once_is_one_sms(
    gateway: Gateway, resting: Gateway, tmp_path: Path, janitor: Janitor
) -> None:
    settings = worker_settings(gateway.redis_url, gateway.sandbox)
    line = procfile.worker_line("sms.otp", name="second")
    second = WorkerNode.start("second", line, clean_environment(**settings), tmp_path, janitor)
    try:
        until(second.ready, "the second worker is ready")
        ids = []
        for _ in range(10):
            message_id, entry = _entry(resting, gateway, fresh_phone())
            gateway.redis.lpush("sms.otp", *[entry] * 4)
            ids.append(message_id)
        for message_id in ids:
            gateway.until_state(message_id, "delivered")
        gateway.until_idle()
        assert "sms.send" in second.logs()
    finally:
        second.teardown()

    assert [len(gateway.received(message_id)) for message_id in ids] == [1] * 10


def test_a_throttled_message_whose_task_comes_twice_is_one_sms(gateway: Gateway, resting: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=1, retry_after_ms=500)
    message_id, entry = _entry(resting, gateway, phone)

    gateway.redis.lpush("sms.otp", entry, entry)

    gateway.until_state(message_id, "delivered")
    gateway.until_idle()
    assert len(gateway.received(message_id)) == 1


def _wait_until_redis_has_noticed(gateway: Gateway) -> None:
    """Until then Redis gives the next message to the dead worker's connection, and it is lost (see below)."""
    until(lambda: not gateway.redis.info("clients")["blocked_clients"], "the dead worker's connection is closed")


def _age_what_is_unacknowledged(gateway: Gateway) -> int:
    """Make what a dead worker held look as old as the visibility timeout, after which others take it over."""
    tags = gateway.redis.zrange("unacked_index", 0, -1)
    gateway.redis.zadd("unacked_index", {str(tag): 1 for tag in tags}, xx=True)
    return len(tags)


@pytest.mark.timeout(180)
def test_a_worker_killed_in_the_middle_of_a_call_leaves_an_uncertain_message_that_is_not_sent_again(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, phone, worker = own_gateway, fresh_phone(), celery_setup.worker
    assert worker is not None
    gateway.sandbox.fault(kind="hang", accepted=True, seconds=30, match={"phone": phone})
    gateway.sandbox.fault(kind="receipt_lost", match={"phone": phone})
    message_id = gateway.send(phone)
    until(lambda: gateway.received(message_id), "the provider has the message")
    assert gateway.show(message_id)["state"] == "sending"

    worker.kill()
    _wait_until_redis_has_noticed(gateway)
    waiting = gateway.send()
    assert _age_what_is_unacknowledged(gateway) == 1
    worker.restart()

    known = gateway.until_state(message_id, "uncertain")
    gateway.until_state(waiting, "delivered")
    gateway.until_idle()
    assert (known["reason"], known["attempts"]) == ("worker_lost", 1)
    assert states(known) == ["queued", "sending", "uncertain"]
    assert len(gateway.received(message_id)) == 1


@pytest.fixture
def forking(bare_gateway: Gateway, tmp_path: Path, janitor: Janitor) -> Iterator[WorkerNode]:
    """A worker whose pool are processes, as some run it who do not start the Procfile's lines."""
    settings = worker_settings(bare_gateway.redis_url, bare_gateway.sandbox)
    environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="2")
    line = procfile.worker_line(*QUEUES, pool="prefork")
    worker = WorkerNode.start("forking", line, environment, tmp_path, janitor)
    until(worker.ready, "the worker is ready")
    yield worker
    worker.teardown()


@pytest.mark.timeout(180)
def test_a_pool_process_killed_in_the_middle_of_a_call_does_not_make_its_worker_send_again(
    bare_gateway: Gateway, forking: WorkerNode
) -> None:
    gateway, phone = bare_gateway, fresh_phone()
    gateway.sandbox.fault(kind="hang", accepted=True, seconds=30, match={"phone": phone})
    gateway.sandbox.fault(kind="receipt_lost", match={"phone": phone})
    message_id = gateway.send(phone)
    until(lambda: gateway.received(message_id), "the provider has the message")

    _kill_the_pool(forking)

    known = gateway.until_state(message_id, "uncertain")
    gateway.until_idle()
    gateway.until_state(gateway.send(), "delivered")
    assert known["reason"] == "worker_lost"
    assert len(gateway.received(message_id)) == 1


def _kill_the_pool(worker: WorkerNode) -> None:
    leader = worker.process.pid
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text(encoding="ascii").split()
    assert children
    for child in children:
        os.kill(int(child), signal.SIGKILL)


@pytest.mark.timeout(180)
def test_what_a_killed_worker_had_taken_and_not_begun_is_sent_by_the_next(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, worker = own_gateway, celery_setup.worker
    assert worker is not None
    phone = fresh_phone()
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=1, retry_after_ms=60_000)
    message_id = gateway.send(phone)
    until(lambda: len(gateway.show(message_id)["timeline"]) == 3, "the message waits for its second attempt")
    until(lambda: gateway.redis.hlen("unacked") == 1, "the retry is in the worker's hands")

    worker.kill()
    _end_its_wait(gateway)
    worker.restart()

    known = gateway.until_state(message_id, "delivered")
    assert known["attempts"] == 2
    assert len(gateway.received(message_id)) == 1


def _end_its_wait(gateway: Gateway) -> None:
    """Age the one task that a dead worker held back, and take its waiting time away."""
    ((tag, held),) = gateway.redis.hgetall("unacked").items()
    message, exchange, routing_key = json.loads(held)
    message["headers"]["eta"] = None
    gateway.redis.hset("unacked", tag, json.dumps([message, exchange, routing_key]))
    gateway.redis.hset(f"sms:msg:{message['headers']['id']}", "not_before", 0)
    assert _age_what_is_unacknowledged(gateway) == 1


@pytest.mark.timeout(180)
def test_a_message_with_which_a_worker_died_before_noting_it_is_sent_by_the_next(
    own_gateway: Gateway, celery_setup: CeleryTestSetup, beat: NodeProcess
) -> None:
    gateway, worker = own_gateway, celery_setup.worker
    assert worker is not None
    # A stopped worker cannot note what Redis hands it: the moment between BRPOP and the note, held open.
    worker.kill("SIGSTOP")
    message_id = gateway.send()
    until(lambda: not gateway.tasks(), "Redis has handed the task over")

    worker.kill()
    worker.restart()

    assert gateway.until_state(message_id, "delivered", within=30)["attempts"] == 1
    assert len(gateway.received(message_id)) == 1


@pytest.mark.timeout(180)
def test_sigterm_ends_what_is_in_hand_and_leaves_the_rest_to_the_next_worker(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, worker = own_gateway, celery_setup.worker
    assert worker is not None
    phones = [fresh_phone() for _ in range(12)]
    for phone in phones:
        gateway.sandbox.fault(kind="latency", ms=600, match={"phone": phone})
    ids = [gateway.send(phone) for phone in phones]
    until(lambda: sum(gateway.show(one)["state"] == "sending" for one in ids) >= 2, "messages are under way")

    worker.kill("SIGTERM")
    assert gateway.worker is not None
    assert gateway.worker.wait(45) == 0

    left = {gateway.show(one)["state"] for one in ids}
    assert left <= {"queued", "sent", "delivered"}
    assert "queued" in left, "the worker ended before it could be told to stop"
    worker.restart()
    for message_id in ids:
        assert states(gateway.until_state(message_id, "delivered")).count("sending") == 1
    assert [len(gateway.sandbox.messages(phone=phone)) for phone in phones] == [1] * 12


def _is_held(gateway: Gateway) -> bool:
    held = [json.loads(entry)[0]["headers"] for entry in gateway.redis.hvals("unacked")]
    return [headers["retries"] for headers in held] == [1]


@pytest.mark.timeout(180)
def test_sigterm_gives_back_what_waits_for_its_next_attempt(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, worker, phone = own_gateway, celery_setup.worker, fresh_phone()
    assert worker is not None
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=1, retry_after_ms=4000)
    message_id = gateway.send(phone)
    # A task that ends in the very moment of a SIGTERM keeps Celery's pool waiting for it, up to its soft time limit.
    until(lambda: _is_held(gateway), "the retry, and nothing else, is in the worker's hands")

    worker.kill("SIGTERM")
    assert gateway.worker is not None
    assert gateway.worker.wait(45) == 0

    assert [entry for entry in gateway.redis.lrange("sms.otp", 0, -1) if message_id in str(entry)]
    worker.restart()
    assert gateway.until_state(message_id, "delivered")["attempts"] == 2
    assert len(gateway.received(message_id)) == 1


def test_every_queue_of_the_tests_is_one_of_ours() -> None:
    assert set(QUEUES) == set(Queue)
