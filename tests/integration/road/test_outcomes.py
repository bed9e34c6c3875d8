"""How an attempt can end, by real faults of a real provider."""

from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery

from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import QUEUES, TEMPLATE, Gateway, fresh_phone, states, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode


def test_a_message_throttled_twice_is_sent_once_at_the_third_attempt(gateway: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=2)

    known = gateway.until_state(gateway.send(phone), "delivered")

    assert states(known) == ["queued", "sending", "queued", "sending", "queued", "sending", "sent", "delivered"]
    assert known["attempts"] == 3
    assert [event.get("attempt") for event in known["timeline"] if event["state"] == "sending"] == [1, 2, 3]
    assert known["timeline"][2]["reason"] == "Throttling.User"
    assert len(gateway.sandbox.messages(phone=phone)) == 1


def test_a_wait_that_the_provider_names_is_kept(gateway: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=1, retry_after_ms=1500)

    known = gateway.until_state(gateway.send(phone), "delivered")

    refused, tried_again = (datetime.fromisoformat(known["timeline"][place]["at"]) for place in (2, 3))
    assert 1.4 <= (tried_again - refused).total_seconds() < 6


def test_a_provider_that_refuses_connections_is_tried_again_until_it_takes_the_message(gateway: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="refuse", seconds=1.2)

    known = gateway.until_state(gateway.send(phone), "delivered", within=40)

    assert known["attempts"] > 1
    assert {event["reason"] for event in known["timeline"][1:-3] if event["state"] == "queued"} == {"connect_refused"}
    assert len(gateway.sandbox.messages(phone=phone)) == 1


@pytest.mark.parametrize(
    ("code", "fault"),
    [("isv.BLACK_KEY_CONTROL_LIMIT", "message"), ("isv.MOBILE_NUMBER_ILLEGAL", "message"), ("isv.NEW", "unknown")],
)
def test_a_refused_message_has_failed_and_says_why(gateway: Gateway, code: str, fault: str) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="business_error", code=code, match={"phone": phone})

    known = gateway.until_state(gateway.send(phone), "failed")
    gateway.until_idle()

    assert states(known) == ["queued", "sending", "failed"]
    assert (known["reason"], known["attempts"], known["final"]) == (code, 1, True)
    assert known["timeline"][-1]["fault"] == fault


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("isv.AMOUNT_NOT_ENOUGH", "account"),
        ("isp.RAM_PERMISSION_DENY", "credentials"),
        ("isv.SMS_SIGNATURE_ILLEGAL", "configuration"),
    ],
)
def test_what_an_operator_can_mend_makes_a_dead_letter_with_its_reason(gateway: Gateway, code: str, fault: str) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="business_error", code=code, match={"phone": phone})

    known = gateway.until_state(gateway.send(phone), "dead")
    gateway.until_idle()

    assert states(known) == ["queued", "sending", "dead"]
    assert (known["reason"], known["attempts"], known["final"]) == (code, 1, True)
    assert known["timeline"][-1]["fault"] == fault


def test_a_template_that_the_account_does_not_have_makes_a_dead_letter(gateway: Gateway) -> None:
    known = gateway.until_state(gateway.send(template="SMS_999999999"), "dead")

    assert known["reason"] == "isv.SMS_TEMPLATE_ILLEGAL"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "hang", "accepted": True, "seconds": 5}, "read_timeout"),
        ({"kind": "reset", "accepted": True}, "connection_reset"),
        ({"kind": "unavailable", "status": 500, "code": "InternalError", "accepted": True}, "server_error"),
        ({"kind": "html", "accepted": True}, None),
        ({"kind": "business_error", "code": "isp.SYSTEM_ERROR"}, "isp.SYSTEM_ERROR"),
    ],
    ids=["read timeout", "reset", "500", "html", "isp.SYSTEM_ERROR"],
)
def test_an_attempt_that_may_have_sent_is_uncertain_and_not_made_again(
    gateway: Gateway, fault: dict[str, object], reason: str | None
) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(**fault, match={"phone": phone})
    gateway.sandbox.fault(kind="receipt_lost", match={"phone": phone})

    message_id = gateway.send(phone)
    known = gateway.until_state(message_id, "uncertain")
    gateway.until_idle()

    assert states(known) == ["queued", "sending", "uncertain"]
    assert known["attempts"] == 1
    assert known["final"] is False
    if reason:
        assert known["reason"] == reason
    assert gateway.show(message_id)["state"] == "uncertain"
    assert len(gateway.received(message_id)) == bool(fault.get("accepted"))


def test_the_receipt_of_an_uncertain_message_makes_it_delivered(gateway: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="hang", accepted=True, seconds=5, match={"phone": phone})
    gateway.sandbox.fault(kind="receipt_delayed", seconds=2.5, match={"phone": phone})

    message_id = gateway.send(phone)
    gateway.until_state(message_id, "uncertain")
    known = gateway.until_state(message_id, "delivered")

    assert states(known) == ["queued", "sending", "uncertain", "delivered"]
    assert len(gateway.received(message_id)) == 1


def test_a_receipt_that_overtakes_the_answer_is_the_last_word(gateway: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="latency", ms=1000, match={"phone": phone})

    message_id = gateway.send(phone)
    known = gateway.until_state(message_id, "delivered")
    gateway.until_idle()

    assert states(known) == ["queued", "sending", "delivered"]
    assert gateway.show(message_id) == known


def test_five_attempts_are_all_and_the_message_is_a_dead_letter(gateway: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=5, retry_after_ms=50)

    known = gateway.until_state(gateway.send(phone), "dead")
    gateway.until_idle()

    assert states(known) == ["queued", *["sending", "queued"] * 5, "dead"]
    assert (known["attempts"], known["reason"], known["final"]) == (5, "Throttling.User", True)
    assert gateway.sandbox.messages(phone=phone) == []


def test_five_attempts_are_all_for_a_task_sent_by_name(gateway: Gateway, foreign_app: Celery) -> None:
    phone, task_id = fresh_phone(), str(uuid4())
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, count=5, retry_after_ms=50)

    foreign_app.send_task("sms.send", [phone, TEMPLATE, {"code": "135790"}], queue="sms.otp", task_id=task_id)

    assert gateway.until_state(task_id, "dead")["attempts"] == 5


def test_a_wait_beyond_the_messages_validity_fails_at_once(gateway: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, retry_after_ms=30_000)

    known = gateway.until_state(gateway.send(phone, valid_for=20), "failed")

    assert (known["attempts"], known["reason"]) == (1, "Throttling.User")


def test_retries_end_with_the_messages_validity(gateway: Gateway) -> None:
    phone = fresh_phone()
    gateway.sandbox.fault(kind="throttle", match={"phone": phone}, retry_after_ms=700)

    known = gateway.until_state(gateway.send(phone, valid_for=1), "expired", "failed")

    assert known["attempts"] <= 2
    assert gateway.sandbox.messages(phone=phone) == []


def test_what_expired_while_no_worker_ran_is_never_sent(resting: Gateway, tmp_path: Path, janitor: Janitor) -> None:
    late, in_time = resting.send(valid_for=1), resting.send(valid_for=60)
    until(lambda: _age(resting, late) > 1.0, "the message has expired")
    settings = worker_settings(resting.redis_url, resting.sandbox)
    worker = WorkerNode.start("late", procfile.worker_line(*QUEUES), clean_environment(**settings), tmp_path, janitor)
    try:
        expired = resting.until_state(late, "expired")
        resting.until_state(in_time, "delivered")
    finally:
        worker.teardown()

    assert states(expired) == ["queued", "expired"]
    assert (expired["attempts"], expired["reason"]) == (0, "expired")
    assert resting.received(late) == []


def _age(gateway: Gateway, message_id: str) -> float:
    seconds, microseconds = gateway.redis.time()
    accepted = int(str(gateway.redis.hget(f"sms:msg:{message_id}", "accepted_at")))
    return seconds + microseconds / 1e6 - accepted / 1000
