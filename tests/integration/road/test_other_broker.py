"""Tasks wait at a broker that is not the Redis of the records; each SMS is sent, and once."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from smsgate.queues import Queue
from tests.integration.nodes.gateway import fresh_phone
from tests.integration.nodes.until import until
from tests.integration.webhooks.endpoint import serving

NOTICE = {"template": "SMS_200000001", "lane": "notice", "params": {"name": "王先生", "order": "1", "date": "明天"}}
_DELAY = """
import sys
from workers.tasks import send_sms
print(send_sms.delay(sys.argv[1], "SMS_154950909", {"code": "135790"}, lane="otp").id)
"""


_WITH_A_LIMIT = """
import sys
from workers.tasks import send_sms
try:
    send_sms.apply_async((sys.argv[1], "SMS_154950909", {"code": "135790"}), soft_time_limit=9)
except Exception as error:
    print(type(error).__name__)
"""


@pytest.fixture(params=["redis", "files", "amqp"])
def apart(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(f"apart_on_{request.param}")


@contextmanager
def _standing_still(gateway: Any) -> Iterator[None]:
    """Have the worker do nothing for a while, nor notice it."""
    os.kill(gateway.worker.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(gateway.worker.process.pid, signal.SIGCONT)


def _sent_once(apart: Any, phones: list[str]) -> bool:
    return {len(apart.gateway.sandbox.messages(phone=phone)) for phone in phones} == {1}


def test_a_message_by_http_and_one_by_delay_are_delivered_with_their_receipts(apart: Any) -> None:
    phones = [fresh_phone(), fresh_phone()]
    by_http = apart.gateway.send(phones[0])
    done = apart.gateway.python(_DELAY, phones[1], **apart.settings)
    assert done.returncode == 0, done.stderr
    for message_id in (by_http, done.stdout.strip()):
        apart.gateway.until_state(message_id, "delivered")
    assert _sent_once(apart, phones)
    assert not any(apart.gateway.redis.llen(queue) for queue in Queue)
    said = apart.gateway.run("smsgate", "doctor", **apart.settings).stdout
    assert "ok   broker " in said
    assert "FAIL sms." not in said


def test_notices_leave_together(apart: Any) -> None:
    phones = [fresh_phone() for _ in range(30)]
    ids = [apart.gateway.send(phone, **NOTICE) for phone in phones]
    known = [apart.gateway.until_state(one, "delivered", within=40) for one in ids]
    assert len({event["chunk"] for one in known for event in one["timeline"] if "chunk" in event}) < 10
    assert _sent_once(apart, phones)


def test_one_that_is_throttled_is_tried_again_and_its_client_is_told(apart: Any) -> None:
    phone = fresh_phone()
    apart.gateway.sandbox.fault(kind="business_error", code="Throttling", count=1, match={"phone": phone})
    with serving() as endpoint:
        message_id = apart.gateway.send(phone, callback_url=endpoint.url)
        known = apart.gateway.until_state(message_id, "delivered", within=90)
        assert known["attempts"] == 2
        until(lambda: endpoint.posted, "the client is told", 60)
    assert _sent_once(apart, [phone])


def test_a_process_that_was_told_nothing_of_the_broker_is_found_out(apart_on_redis: Any) -> None:
    gateway = apart_on_redis.gateway
    gateway.until_state(gateway.send(fresh_phone()), "delivered")
    said = gateway.run("smsgate", "doctor", SMSGATE_REDIS_URL=gateway.redis_url, SMSGATE_BROKER_URL="").stdout
    assert "FAIL broker" in said
    assert "here SMSGATE_BROKER_URL is not set" in said


def test_messages_accepted_while_the_broker_is_away_go_when_it_is_back(apart_on_redis: Any) -> None:
    gateway, broker = apart_on_redis.gateway, apart_on_redis.broker
    phones = [fresh_phone() for _ in range(30)]
    broker.process.kill()
    began = time.monotonic()
    ids = [gateway.send(phone) for phone in phones[:-1]]
    assert time.monotonic() - began < 10
    done = gateway.python(_DELAY, phones[-1], **apart_on_redis.settings)
    assert done.returncode == 0, done.stderr
    assert {gateway.show(one)["state"] for one in ids} == {"queued"}
    refused = gateway.python(_WITH_A_LIMIT, fresh_phone(), **apart_on_redis.settings)
    assert refused.stdout.startswith("StoreUnavailable"), refused
    said = gateway.run("smsgate", "doctor", **apart_on_redis.settings).stdout
    assert "FAIL broker" in said
    broker.process.start()
    for message_id in (*ids, done.stdout.strip()):
        gateway.until_state(message_id, "delivered", within=40)
    assert _sent_once(apart_on_redis, phones)


_KILLED_BEFORE_IT_SAYS_SO = """
import os, signal, sys
from smsgate.broker.publisher import Publisher
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.envelope import unseal
from smsgate.ledger.outbox import Outbox
from smsgate.message import Message
from smsgate.parts import submit_to
from smsgate.settings import current
client = connect_briefly(current().redis_url)
code = {"template": "SMS_154950909", "params": {"code": "135790"}, "lane": "otp"}
for phone in sys.argv[1:]:
    submit_to(client, current())(Message.check({"to": phone, **code}))
outbox = Outbox(client, lease=3000)
posted = [(one.queue, unseal(one.entry)) for one in outbox.take().posted]
if not os.environ.get("BEFORE"):
    Publisher(current().broker, current().broker_options).publish(posted)
print(len(posted), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("before", ["", "1"])
def test_one_killed_while_it_hands_on_loses_none_and_sends_none_twice(apart_on_redis: Any, before: str) -> None:
    """Killed after it has published, or before; either way what it has taken is handed on once its lease is over."""
    gateway = apart_on_redis.gateway
    phones = [fresh_phone() for _ in range(5)]
    with _standing_still(gateway):
        done = gateway.python(_KILLED_BEFORE_IT_SAYS_SO, *phones, **apart_on_redis.settings, BEFORE=before)
    assert (done.returncode, done.stdout.strip()) == (-signal.SIGKILL, "5"), done.stderr
    until(lambda: all(gateway.sandbox.messages(phone=phone) for phone in phones), "each is sent")
    # Once more each comes by the parcel that was left, and finds its attempt made.
    until(lambda: not gateway.redis.zcard("sms:parcels"), "the parcel has gone back and on", within=10)
    gateway.until_idle()
    time.sleep(1)
    assert _sent_once(apart_on_redis, phones)


def test_a_broker_that_forgets_everything_loses_no_message(apart_on_redis: Any) -> None:
    gateway, broker = apart_on_redis.gateway, apart_on_redis.broker
    # Marks that have come out, and by them it is known later that these messages have not.
    until(lambda: gateway.redis.zscore("sms:marks:passed", "otp"), "a mark has come out")
    phones = [fresh_phone() for _ in range(5)]
    with _standing_still(gateway):
        ids = [gateway.send(phone) for phone in phones]
        # One may have gone to the worker that was waiting for it.
        assert broker.connect().llen(Queue.OTP) >= 4
        broker.connect().flushall()
    for message_id in ids:
        gateway.until_state(message_id, "delivered", within=60)
    assert _sent_once(apart_on_redis, phones)


def test_what_is_no_task_is_kept_and_can_be_requeued_and_shown_at_the_ledger(apart: Any) -> None:
    gateway = apart.gateway
    gateway.redis.lpush(Queue.NOTICE, "rubbish")
    until(lambda: gateway.redis.zcard("sms:strays"), "rubbish in the outbox is a stray")
    program = """
from workers.app import app
app.send_task("no.such.task", ["x"], queue="sms.notice", task_id="stranger-1")
"""
    done = gateway.python(program, **apart.settings)
    assert done.returncode == 0, done.stderr
    until(lambda: gateway.redis.zcard("sms:strays") == 2, "an unknown task is one too")
    (stray,) = [one for one in _strays(gateway) if one["task_id"] == "stranger-1"]
    assert (stray["queue"], stray["reason"]) == ("sms.notice", "unknown_task")
    done = gateway.run("smsgate", "dead", "strays", "requeue", stray["id"], **apart.settings)
    assert done.returncode == 0, done.stderr
    until(lambda: stray["id"] not in {one["id"] for one in _strays(gateway)}, "it has left")
    until(lambda: len(_strays(gateway)) == 2, "and come back")


def _strays(gateway: Any) -> list[dict[str, str]]:
    ids = gateway.redis.zrange("sms:strays", 0, -1)
    return [{**gateway.redis.hgetall(f"sms:stray:{one}"), "id": one} for one in ids]
