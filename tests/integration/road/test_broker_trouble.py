"""Whatever Redis does or answers, the same worker process goes on, and nothing is lost or sent twice."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from pytest_celery import CeleryTestSetup

from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import QUEUES, TEMPLATE, Gateway, fresh_phone, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode

pytestmark = pytest.mark.timeout(240)

# Seconds in which a worker must have found its way back.
RECOVERY = 30.0


def _message(phone: str) -> dict[str, object]:
    return {"to": phone, "template": TEMPLATE, "params": {"code": "135790"}, "lane": "otp"}


def _assert_same_worker_delivers(gateway: Gateway, number: int = 8) -> None:
    """More than the worker takes at a time: a place that stays occupied would show."""
    assert gateway.worker is not None
    ids = [_send(gateway) for _ in range(number)]
    for message_id in ids:
        gateway.until_state(message_id, "delivered", within=RECOVERY)
        assert len(gateway.received(message_id)) == 1
    gateway.until_idle()
    assert gateway.worker.runs(), gateway.worker.every_log()[-3000:]


def _send(gateway: Gateway) -> str:
    answer = until(
        lambda: [found] if (found := gateway.post(_message(fresh_phone()))).status_code == 202 else [],
        "a message is accepted",
        RECOVERY,
    )
    return str(answer[0].json()["id"])


def _until_looked_at(gateway: Gateway) -> None:
    """Wait until a worker has looked for what dead workers held, which it does every 5 s, whatever Redis refuses."""

    def looks() -> int:
        return int(gateway.redis.info("commandstats")["cmdstat_zrange"]["calls"])

    before = looks()
    until(lambda: looks() > before, "a worker has looked after the broker")


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
        assert gateway.post(_message(fresh_phone())).status_code == 503
        _until_looked_at(gateway)

    _assert_same_worker_delivers(gateway)


def test_a_redis_that_is_full_while_workers_send_loses_nothing_and_sends_nothing_twice(own_gateway: Gateway) -> None:
    gateway = own_gateway
    phones = [fresh_phone() for _ in range(20)]
    for phone in phones:
        gateway.sandbox.fault(kind="latency", ms=400, match={"phone": phone})
    ids = [gateway.send(phone) for phone in phones]
    until(lambda: gateway.sandbox.messages(phone=phones[0]), "messages go out")

    with _full(gateway):
        assert gateway.post(_message(fresh_phone())).status_code == 503
        _until_looked_at(gateway)
        log = gateway.worker.every_log() if gateway.worker else ""
        assert log.count("\n") < 500, "the worker takes and gives back as fast as it can"

    for message_id in ids:
        known = gateway.until_state(message_id, "delivered", "uncertain", "sent", within=60)
        assert len(gateway.received(message_id)) == 1
        # What was under way when Redis became full may have no answer noted; it is not sent again.
        assert known["state"] != "uncertain" or known["reason"] == "worker_lost"
    assert [len(gateway.sandbox.messages(phone=phone)) for phone in phones] == [1] * 20
    _assert_same_worker_delivers(gateway)


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
    _assert_same_worker_delivers(gateway)


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

    _assert_same_worker_delivers(gateway)


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
    _assert_same_worker_delivers(gateway)


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
    _assert_same_worker_delivers(gateway)


def _require_password(client: redis.Redis) -> None:
    client.config_set("requirepass", "changed")
    # Redis asks those who are connected for nothing; ours must connect anew.
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def _let_in(client: redis.Redis) -> None:
    client.execute_command("AUTH", "changed")
    client.config_set("requirepass", "")


def _fail_to_save(client: redis.Redis) -> None:
    """Let a snapshot fail, after which Redis refuses to write and to answer a ping."""
    (Path(client.config_get("dir")["dir"]) / "dump.rdb" / "in the way").mkdir(parents=True)
    client.config_set("save", "3600 1000000")
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "the snapshot has failed")


def _keep_busy(client: redis.Redis) -> None:
    client.config_set("lua-time-limit", 100)
    known = client.connection_pool.connection_kwargs
    threading.Thread(target=_run_endless_script, args=(known["host"], known["port"]), daemon=True).start()
    until(lambda: _is_busy(client), "Redis is busy")


def _run_endless_script(host: str, port: int) -> None:
    with contextlib.suppress(redis.RedisError):
        redis.Redis(host, port, socket_timeout=None).eval("while true do end", 0)


def _is_busy(client: redis.Redis) -> bool:
    try:
        return not client.ping()
    except redis.ResponseError:
        return True


# What makes Redis refuse, and what puts it right. READONLY is what the old primary answers after a failover.
REFUSALS: dict[str, tuple[Callable[[redis.Redis], Any], Callable[[redis.Redis], Any]]] = {
    "READONLY": (lambda client: client.replicaof("127.0.0.1", 1), lambda client: client.replicaof("NO", "ONE")),
    "NOAUTH": (_require_password, _let_in),
    "NOREPLICAS": (
        lambda client: client.config_set("min-replicas-to-write", 1),
        lambda client: client.config_set("min-replicas-to-write", 0),
    ),
    "MISCONF": (_fail_to_save, lambda client: client.config_set("stop-writes-on-bgsave-error", "no")),
    "BUSY": (_keep_busy, lambda client: client.script_kill()),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_worker_outlasts_a_redis_that_answers_with_a_refusal(own_gateway: Gateway, refusal: str) -> None:
    gateway = own_gateway
    gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()
    begin, end = REFUSALS[refusal]
    client = redis.Redis.from_url(gateway.redis_url, single_connection_client=True, decode_responses=True)
    client.ping()

    begin(client)
    time.sleep(5)
    end(client)

    _assert_same_worker_delivers(gateway)


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
