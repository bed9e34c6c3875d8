"""What the provider pushes: each may come twice, late, out of order, wrong, or broken."""

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.pushes import Push, Pushes, PushKind
from tests.integration.nodes.gateway import Gateway, fresh_phone, report, states
from tests.integration.nodes.until import until

RECEIVED = {"code": 0, "msg": "接收成功"}


@pytest.fixture
def phone(gateway: Gateway) -> str:
    """A number whose receipts the sandbox keeps to itself, so that the test can write them."""
    number = fresh_phone()
    gateway.sandbox.fault(kind="receipt_lost", match={"phone": number}, queryable=False)
    return number


@pytest.fixture
def sent(gateway: Gateway, phone: str) -> str:
    message_id = gateway.send(phone)
    gateway.until_state(message_id, "sent")
    return message_id


@pytest.fixture
def settled(gateway: Gateway) -> Iterator[None]:
    """Every push of the test has been taken and put away, whatever it held."""
    yield
    until(lambda: not gateway.redis.zcard("sms:pushes"), "every push has been applied")
    gateway.until_idle()


def _apply(gateway: Gateway, *reports: dict[str, Any]) -> None:
    answer = gateway.push(*reports)
    assert (answer.status_code, answer.json()) == (200, RECEIVED)
    until(lambda: not gateway.redis.zcard("sms:pushes"), "the push has been applied")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", ["sms-report", "sms-up"])
def test_the_door_answers_as_the_provider_wants_it(gateway: Gateway, method: str, kind: str) -> None:
    answer = gateway.web.ask(method, gateway.web.callback(kind), data=b"[]" if method == "POST" else None)

    assert (answer.status_code, answer.json()) == (200, RECEIVED)
    assert "接收成功" in answer.content.decode()


@pytest.mark.parametrize("secret", ["wrong-secret-of-a-stranger", "x", "%00", "%E5%AF%86", "a-secret-of-the-test"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_secret_finds_nothing(gateway: Gateway, method: str, secret: str) -> None:
    answer = gateway.web.ask(method, gateway.web.callback(secret=secret), data=b"[]")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_push_of_another_kind_finds_nothing(gateway: Gateway) -> None:
    assert gateway.web.ask("POST", gateway.web.callback("sign-report"), data=b"[]").status_code == 404


def test_the_door_answers_far_within_the_providers_700_milliseconds(gateway: Gateway, settled: None) -> None:
    body = [report(str(uuid4()), fresh_phone()) for _ in range(100)]

    def took() -> float:
        began = time.perf_counter()
        assert gateway.push(*body).json() == RECEIVED
        return time.perf_counter() - began

    assert statistics.median(took() for _ in range(30)) < 0.35  # measured: 4 ms


def test_a_receipt_says_when_and_in_how_many_segments(gateway: Gateway, sent: str, phone: str) -> None:
    answered = gateway.show(sent)["provider_id"]
    _apply(gateway, report(sent, phone, sms_size="2", biz_id=answered))

    known = gateway.show(sent)
    assert known["state"] == "delivered"
    assert known["provider_id"] == answered
    event = known["timeline"][-1]
    assert (event["code"], event["segments"]) == ("DELIVERED", 2)
    assert event["reported_at"] == "2026-01-01T19:04:09.000Z"  # the provider writes China's time


def test_an_undelivered_message_has_the_providers_code_and_our_reason(gateway: Gateway, sent: str, phone: str) -> None:
    _apply(gateway, report(sent, phone, success=False, err_code="MOBILE_IN_BLACK"))

    known = gateway.show(sent)
    assert (known["state"], known["reason"]) == ("undelivered", "blacklisted")
    assert known["timeline"][-1]["code"] == "MOBILE_IN_BLACK"


def test_a_code_that_nobody_knows_is_kept_as_it_came(gateway: Gateway, sent: str, phone: str) -> None:
    _apply(gateway, report(sent, phone, success=False, err_code="XX:0042"))

    known = gateway.show(sent)
    assert (known["state"], known["reason"], known["timeline"][-1]["code"]) == ("undelivered", "unknown", "XX:0042")


def test_the_sandbox_reports_an_undeliverable_number(gateway: Gateway) -> None:
    number = fresh_phone()
    gateway.sandbox.fault(kind="undeliverable", err_code="MOBILE_NOT_ON_SERVICE", match={"phone": number})

    known = gateway.until_state(gateway.send(number), "undelivered")

    assert known["reason"] == "not_in_service"
    assert states(known) == ["queued", "sending", "sent", "undelivered"]


def test_a_report_pushed_three_times_is_applied_once(gateway: Gateway) -> None:
    number = fresh_phone()
    gateway.sandbox.fault(kind="receipt_doubled", copies=3, match={"phone": number})

    message_id = gateway.send(number)
    gateway.until_state(message_id, "delivered")
    until(lambda: not gateway.redis.zcard("sms:pushes"), "every push has been applied")

    assert states(gateway.show(message_id)) == ["queued", "sending", "sent", "delivered"]


@pytest.mark.parametrize(
    ("first", "second"),
    [({}, {"success": False, "err_code": "MOBILE_IN_BLACK"}), ({"success": False, "err_code": "MOBILE_IN_BLACK"}, {})],
    ids=["delivered", "undelivered"],
)
def test_a_late_report_that_contradicts_changes_nothing(
    gateway: Gateway, sent: str, phone: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    _apply(gateway, report(sent, phone, **first))
    before = gateway.show(sent)
    _apply(gateway, report(sent, phone, **second))
    _apply(gateway, report(sent, phone, **second), report(sent, phone, **first))

    assert before["state"] == ("undelivered" if first else "delivered")
    assert gateway.show(sent) == before


def test_a_report_for_an_unknown_message_or_another_number_changes_nothing(
    gateway: Gateway, sent: str, phone: str, settled: None
) -> None:
    unknown = str(uuid4())

    _apply(gateway, report(sent, fresh_phone()), report(unknown, phone), report("", phone), report("a b*", phone))

    assert gateway.show(sent)["state"] == "sent"
    assert gateway.show(unknown)["state"] is None


def test_one_bad_report_does_not_hide_the_good_ones_beside_it(
    gateway: Gateway, sent: str, phone: str, settled: None
) -> None:
    bad: list[Any] = [
        None,
        7,
        "text",
        [],
        {},
        {"out_id": sent},
        report(sent, "no number"),
        report(sent, phone, success=None, err_code=None),
        report([sent], phone),
    ]

    _apply(gateway, *bad, report(sent, phone), *bad)

    assert gateway.show(sent)["state"] == "delivered"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b'"text"',
        b"NaN",
        b"{}",
        b"[[[[]]]]",
        b"\xff\xfe\x00",
        b"\x00",
        b"[" * 100_000,
        b'[{"out_id": "\\ud800", "phone_number": "\\ud800"}]',
        json.dumps([report("x", "13800138000", sms_size="9" * 5000)]).encode(),
        b'[{"out_id": ' + b"9" * 5000 + b"}]",
    ],
    ids=lambda body: str(body[:30]),
)
@pytest.mark.parametrize("kind", ["sms-report", "sms-up"])
def test_a_malformed_push_does_not_break_the_worker(gateway: Gateway, kind: str, body: bytes, settled: None) -> None:
    answer = gateway.web.ask("POST", gateway.web.callback(kind), data=body)

    assert (answer.status_code, answer.json()) == (200, RECEIVED)


def test_a_push_over_the_limit_is_refused_and_not_cut(gateway: Gateway) -> None:
    def parts() -> Iterator[bytes]:
        yield b"[" + b" " * (5 * 1024 * 1024)
        yield b"]"

    by_length = gateway.web.ask("POST", gateway.web.callback(), data=b"".join(parts()))
    by_chunks = gateway.web.ask("POST", gateway.web.callback(), data=parts())

    assert (by_length.status_code, by_chunks.status_code) == (413, 413)


def test_a_reply_lands_once_in_the_stream_of_replies(gateway: Gateway) -> None:
    number, content = fresh_phone(), f"TD {uuid4()}"

    gateway.sandbox.reply(number, content, dest_code="10690001")
    found = until(lambda: _replies(gateway, content), "the reply has come")
    until(lambda: not gateway.redis.zcard("sms:pushes"), "every push has been applied")

    assert len(_replies(gateway, content)) == 1
    assert (found[0]["phone"], found[0]["destination"]) == (f"+86{number}", "10690001")
    assert found[0]["sent_at"] > 0


def test_a_reply_pushed_again_lands_once(gateway: Gateway) -> None:
    content = f"TD {uuid4()}"
    reply = {
        "phone_number": fresh_phone(),
        "content": content,
        "send_time": "2026-01-02 03:04:05",
        "dest_code": "10690001",
        "sequence_id": 1234,
    }

    for _ in range(2):
        assert gateway.web.ask("POST", gateway.web.callback("sms-up"), json=[reply]).ok
    until(lambda: not gateway.redis.zcard("sms:pushes"), "every push has been applied")

    assert len(_replies(gateway, content)) == 1


def _replies(gateway: Gateway, content: str) -> list[dict[str, Any]]:
    entries = [json.loads(fields["reply"]) for _, fields in gateway.redis.xrange("sms:replies")]
    return [reply for reply in entries if reply["content"] == content]


def test_a_push_whose_task_was_lost_is_applied_by_the_chore(gateway: Gateway, sent: str, phone: str) -> None:
    push_id = _store_without_task(gateway, report(sent, phone))

    gateway.run("celery", "-A", "workers", "call", "sms.requeue_pushes", SMSGATE_REDIS_URL=gateway.redis_url)

    gateway.until_state(sent, "delivered")
    until(lambda: not gateway.redis.exists(f"sms:push:{push_id}"), "the push has been forgotten")


def test_the_chore_leaves_a_push_alone_that_has_just_come(gateway: Gateway, sent: str, phone: str) -> None:
    push_id = _store_without_task(gateway, report(sent, phone), age=5)

    gateway.run("celery", "-A", "workers", "call", "sms.requeue_pushes", SMSGATE_REDIS_URL=gateway.redis_url)
    gateway.until_idle()

    assert gateway.show(sent)["state"] == "sent"
    gateway.redis.delete(f"sms:push:{push_id}")
    gateway.redis.zrem("sms:pushes", push_id)


def _store_without_task(gateway: Gateway, *reports: dict[str, Any], age: float = 61) -> str:
    """Store a push in a database without workers, and move all but its task to ours."""
    aside, push_id = gateway.redis_node.connect(4), str(uuid4())
    Pushes(connect_briefly(gateway.redis_node.database(4))).store(
        Push(push_id, PushKind.SMS_REPORT, json.dumps(reports))
    )
    assert aside.move(f"sms:push:{push_id}", gateway.database)
    gateway.redis.zadd("sms:pushes", {push_id: time.time() - age})
    return push_id
