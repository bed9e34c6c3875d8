"""A Redis that is killed, silent or not there: the same worker goes on, and nothing is lost or sent twice."""

import time
from pathlib import Path

import pytest
from pytest_celery import CeleryTestSetup

from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import QUEUES, Gateway, fresh_phone, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.outlasting import RECOVERY, assert_same_worker_delivers
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode

pytestmark = pytest.mark.timeout(240)


def _until_written(gateway: Gateway) -> None:
    """Wait until what Redis was told is in its file, so that it outlasts the process; the disk may have it later."""
    until(lambda: gateway.redis.info("persistence")["aof_buffer_length"] == 0, "all is written")


def test_a_worker_outlasts_a_redis_that_is_killed_and_restarted_twice_in_a_row(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, broker = own_gateway, celery_setup.broker
    assert broker is not None
    gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()

    for pause in (0.0, 1.5):
        broker.kill()
        time.sleep(pause)
        broker.restart()
        until(lambda: gateway.web.ask("GET", "/readyz").status_code == 200, "Redis is back")

    assert_same_worker_delivers(gateway)


def test_what_a_worker_had_in_hand_while_redis_was_killed_twice_is_sent_once(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, broker = own_gateway, celery_setup.broker
    assert broker is not None
    phones = [fresh_phone() for _ in range(10)]
    for phone in phones:
        gateway.sandbox.fault(kind="latency", ms=1200, match={"phone": phone})
    ids = [gateway.send(phone) for phone in phones]
    until(lambda: gateway.sandbox.messages(phone=phones[0]), "messages go out")
    _until_written(gateway)

    for _ in range(2):
        broker.kill()
        broker.restart()
        until(lambda: gateway.web.ask("GET", "/readyz").status_code == 200, "Redis is back")

    for message_id in ids:
        gateway.until_state(message_id, "delivered", "sent", within=60)
        assert len(gateway.received(message_id)) == 1
    assert_same_worker_delivers(gateway)


def test_a_retry_that_waits_while_redis_is_restarted_goes_out_when_its_time_has_come(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    """The worker forgets what waits in it when it connects again; the broker must not keep it for five minutes."""
    gateway, broker, phone = own_gateway, celery_setup.broker, fresh_phone()
    assert broker is not None
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=1, retry_after_ms=6000)
    message_id = gateway.send(phone)
    until(lambda: len(gateway.show(message_id)["timeline"]) == 3, "the message waits for its second attempt")
    until(lambda: gateway.redis.hlen("unacked") == 1, "the retry is in the worker's hands")
    _until_written(gateway)

    broker.kill()
    broker.restart()

    assert gateway.until_state(message_id, "delivered", within=RECOVERY)["attempts"] == 2
    assert len(gateway.received(message_id)) == 1


@pytest.mark.parametrize("busy", [False, True], ids=["at rest", "at work"])
def test_a_worker_outlasts_a_redis_that_is_silent_for_a_while(
    own_gateway: Gateway, celery_setup: CeleryTestSetup, busy: bool
) -> None:
    gateway, broker = own_gateway, celery_setup.broker
    assert broker is not None
    gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()
    phones = [fresh_phone() for _ in range(6 if busy else 0)]
    for phone in phones:
        gateway.sandbox.fault(kind="latency", ms=1000, match={"phone": phone})
    ids = [gateway.send(phone) for phone in phones]
    if busy:
        until(lambda: gateway.sandbox.messages(phone=phones[0]), "messages go out")

    broker.kill("SIGSTOP")
    time.sleep(15)
    broker.kill("SIGCONT")

    for message_id in ids:
        gateway.until_state(message_id, "delivered", "sent", "uncertain", within=60)
    assert [len(gateway.sandbox.messages(phone=phone)) for phone in phones] == [1] * len(phones)
    assert_same_worker_delivers(gateway)


def test_a_worker_that_starts_without_a_redis_waits_for_it(
    bare_gateway: Gateway, tmp_path: Path, janitor: Janitor
) -> None:
    gateway = bare_gateway
    message_id = gateway.send()
    _until_written(gateway)
    gateway.redis_node.kill()
    environment = clean_environment(**worker_settings(gateway.redis_url, gateway.sandbox))
    worker = WorkerNode.start("worker", procfile.worker_line(*QUEUES), environment, tmp_path, janitor)
    try:
        until(lambda: "Cannot connect" in worker.every_log(), "the worker has found no Redis")
        gateway.redis_node.restart()
        gateway.until_state(message_id, "delivered", within=RECOVERY)
        assert worker.runs()
    finally:
        worker.teardown()


def test_a_worker_that_is_told_to_end_while_redis_is_silent_ends(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    """It publishes its heartbeat, and kombu would try to for as long as Redis says nothing."""
    gateway, broker = own_gateway, celery_setup.broker
    assert broker is not None
    assert gateway.worker is not None
    gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()
    broker.kill("SIGSTOP")
    time.sleep(12)  # by then it is in the midst of publishing

    gateway.worker.kill("SIGTERM")

    try:
        gateway.worker.wait(80)  # measured: 18 s; without the way out it had not ended after 150
    finally:
        broker.kill("SIGCONT")


def test_a_worker_that_is_told_to_end_while_redis_is_away_ends(
    own_gateway: Gateway, celery_setup: CeleryTestSetup
) -> None:
    gateway, broker = own_gateway, celery_setup.broker
    assert broker is not None
    assert gateway.worker is not None
    gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()
    broker.kill()
    time.sleep(2)

    gateway.worker.kill("SIGTERM")

    gateway.worker.wait(40)
