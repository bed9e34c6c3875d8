"""Messages that wait for their time: to be sent, to be tried again, or to be too old."""

import time
from datetime import UTC, datetime

import pytest
from pytest_celery import CeleryTestSetup

from smsgate.flow.clock import system_clock
from smsgate.flow.submit import draft, new_id
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.message import Message
from tests.integration.nodes.gateway import TEMPLATE, Gateway, fresh_phone, states
from tests.integration.nodes.process import NodeProcess
from tests.integration.nodes.until import until


def _in(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


def test_a_message_with_a_time_to_send_is_sent_then_and_not_before(tended: Gateway) -> None:
    message_id = tended.send(send_at=_in(4))
    assert tended.show(message_id)["state"] == "queued"
    assert not tended.tasks() or message_id not in " ".join(tended.tasks())
    known = tended.until_state(message_id, "delivered", within=30)
    begun = datetime.fromisoformat(known["timeline"][1]["at"])
    accepted = datetime.fromisoformat(known["accepted_at"])
    assert (begun - accepted).total_seconds() >= 3.9
    assert len(tended.received(message_id)) == 1


def test_a_message_is_scheduled_from_python_too(tended: Gateway) -> None:
    program = (
        "import sys\nfrom datetime import UTC, datetime, timedelta\nfrom workers.tasks import send_sms\n"
        "at = datetime.now(UTC) + timedelta(seconds=3)\n"
        "print(send_sms.delay(sys.argv[1], sys.argv[2], {'code': '135790'}, lane='otp', send_at=at).id)"
    )
    done = tended.python(program, fresh_phone(), TEMPLATE, SMSGATE_REDIS_URL=tended.redis_url)
    assert done.returncode == 0, done.stderr
    message_id = done.stdout.strip()
    assert tended.show(message_id)["state"] == "queued"
    tended.until_state(message_id, "delivered", within=30)


@pytest.mark.parametrize(
    ("send_at", "what"),
    [("tomorrow", "ISO 8601"), ("2026-12-24T18:00:00", "zone"), (-3600, "past"), (31 * 86_400, "30 days")],
)
def test_a_time_to_send_that_cannot_be_meant_is_refused_by_name(tended: Gateway, send_at: str | int, what: str) -> None:
    at = send_at if isinstance(send_at, str) else _in(send_at)
    answer = tended.post({"to": fresh_phone(), "template": TEMPLATE, "params": {"code": "1"}, "send_at": at})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "send_at"
    assert what in error["message"]


def test_a_message_that_no_worker_takes_expires_where_it_waits(tended: Gateway) -> None:
    """Its task stands behind a long backlog; here it has none that a worker could take."""
    message = Message.check({"to": fresh_phone(), "template": TEMPLATE, "valid_for": 2})
    record = draft(message, new_id(), client="", at=system_clock())
    Records(tended.redis, retention=Retention(60)).accept(record, slot=None)
    assert tended.until_state(record.id, "expired", within=20)["reason"] == "expired"


@pytest.mark.timeout(180)
def test_a_scheduled_message_survives_the_restart_of_everything(
    own_gateway: Gateway, celery_setup: CeleryTestSetup, beat: NodeProcess
) -> None:
    gateway = own_gateway
    message_id = gateway.send(send_at=_in(12))
    assert celery_setup.worker is not None
    assert celery_setup.broker is not None
    celery_setup.worker.kill()
    celery_setup.broker.kill()
    beat.end()
    celery_setup.broker.restart()
    celery_setup.worker.restart()
    beat.start()
    known = gateway.until_state(message_id, "delivered", within=60)
    assert len(gateway.received(message_id)) == 1
    assert states(known)[:2] == ["queued", "sending"]


def test_a_number_over_its_hourly_limit_waits_out_of_the_way(tended: Gateway) -> None:
    phone = fresh_phone()
    tended.sandbox.fault(
        kind="business_error",
        code="isv.BUSINESS_LIMIT_CONTROL",
        message="触发小时级流控Permits:5",
        count=1,
        match={"phone": phone},
    )
    notice = {"template": "SMS_200000001", "params": {"name": "n", "order": "1", "date": "d"}}
    message_id = tended.send(phone, lane="notice", **notice)
    known = tended.until_state(message_id, "queued")
    known = until(lambda: one if len((one := tended.show(message_id))["timeline"]) == 3 else None, "it was put back")
    assert known["timeline"][2]["reason"] == "isv.BUSINESS_LIMIT_CONTROL"
    until(lambda: message_id not in " ".join(tended.tasks()), "no task of it waits in a worker's memory")
    due = tended.redis.zscore("sms:due:notice", message_id)
    assert due is not None
    assert 3500 < due / 1000 - time.time() <= 3600
    tended.redis.zadd("sms:due:notice", {message_id: 0})
    tended.redis.hset(f"sms:msg:{message_id}", "not_before", 0)
    assert tended.until_state(message_id, "delivered", within=30)["attempts"] == 2


def test_a_code_for_a_number_over_its_hourly_limit_fails_at_once(tended: Gateway) -> None:
    phone = fresh_phone()
    tended.sandbox.fault(
        kind="business_error",
        code="isv.BUSINESS_LIMIT_CONTROL",
        message="触发小时级流控Permits:5",
        match={"phone": phone},
    )
    known = tended.until_state(tended.send(phone, valid_for=86_400), "failed")
    assert known["reason"] == "isv.BUSINESS_LIMIT_CONTROL"
