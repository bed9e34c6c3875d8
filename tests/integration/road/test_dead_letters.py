"""Dead letters over HTTP: listed, shown, sent again once each, dropped; and messages that are called back."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from smsgate.flow.submit import draft
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.message import Message, MessageId
from smsgate.queues import Queue
from smsgate.states import State
from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import QUEUES, TEMPLATE, Gateway, fresh_phone, states, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode

DENIED = "isp.RAM_PERMISSION_DENY"
LETTERS = "/v1/dead-letters"


def _die(gateway: Gateway, reason: str, *, client: str = "", ago: float = 0, **fields: Any) -> str:
    """Write a dead letter as a worker leaves it."""
    message = {"to": fresh_phone(), "template": TEMPLATE, "params": {"code": "135790"}, "lane": "otp", **fields}
    record = draft(Message.check(message), MessageId(str(uuid4())), client=client, at=_now() - 3_600_000)
    records = Records(gateway.redis, retention=Retention(3600))
    records.accept(record, slot=None)
    at = _now() - int(ago * 1000)
    records.move(record.id, State.DEAD, at=at, fields={"reason": reason}, detail={"reason": reason})
    return record.id


def _now() -> int:
    return time.time_ns() // 1_000_000


def _reason() -> str:
    return f"isv.TEST_{uuid4().hex[:8].upper()}"


def _listed(gateway: Gateway, key: str | None = None, **parameters: Any) -> list[str]:
    answer = gateway.web.ask("GET", LETTERS, key or gateway.key, params=parameters)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["dead_letters"]]


def _replay(gateway: Gateway, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    answer = gateway.web.ask("POST", f"{LETTERS}/replay", key or gateway.key, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.fixture
def beat(own_gateway: Gateway, tmp_path: Path, janitor: Janitor) -> Iterator[NodeProcess]:
    environment = clean_environment(SMSGATE_REDIS_URL=own_gateway.redis_url)
    node = NodeProcess("beat", procfile.line("beat"), environment, tmp_path, janitor)
    node.start()
    yield node
    node.end()


def test_a_wrong_key_makes_dead_letters_that_are_mended_and_replayed_at_a_rate_and_arrive_once_each(
    own_gateway: Gateway, beat: NodeProcess
) -> None:
    fault = {"kind": "business_error", "code": DENIED}
    own_gateway.sandbox.fault(**fault)
    ids = [own_gateway.send(lane=lane) for lane in ("otp", "otp", "otp", "notice")]
    for one in ids:
        own_gateway.until_state(one, "dead")
    assert set(_listed(own_gateway, reason=DENIED)) == set(ids)
    assert _listed(own_gateway, reason="isp.*", lane="notice") == [ids[3]]
    assert _listed(own_gateway, template="SMS_200000001") == []

    own_gateway.sandbox.clear_faults()
    done = _replay(own_gateway, {"reason": DENIED, "rate": 2})
    again = _replay(own_gateway, {"reason": DENIED})

    assert (done["replayed"], done["skipped"], done["next"]) == (4, [], None)
    assert again["replayed"] == 0
    spaced = set()
    for one in ids:
        known = own_gateway.until_state(one, "delivered")
        assert states(known) == ["queued", "sending", "dead", "queued", "sending", "sent", "delivered"]
        assert (known["attempts"], known["timeline"][3]["replayed"]) == (2, True)
        assert len(own_gateway.received(one)) == 1
        replayed, sending = known["timeline"][3:5]
        assert sending["at"] >= replayed.get("not_before", "")
        spaced.add(replayed.get("not_before"))
    assert len(spaced) == 4, "each has a time of its own"
    assert _listed(own_gateway) == []


def test_a_worker_killed_before_it_notes_a_death_loses_no_letter(
    bare_gateway: Gateway, tmp_path: Path, janitor: Janitor
) -> None:
    settings = worker_settings(bare_gateway.redis_url, bare_gateway.sandbox)
    bare_gateway.sandbox.fault(kind="throttle", retry_after_ms=50)
    command = procfile.worker_line(*QUEUES)
    command[-1] += " --include dying_worker"
    doomed = clean_environment(**settings, PYTHONPATH=str(Path(procfile.__file__).parent))
    dying = WorkerNode.start("dying", command, doomed, tmp_path, janitor)
    message_id = bare_gateway.send()
    dying.wait(30)
    dying.teardown()
    known = bare_gateway.show(message_id)
    assert (known["state"], known["attempts"]) == ("queued", 5)

    # A minute later, when the schedule looks after it again.
    assert bare_gateway.redis.zadd("sms:due:otp", {message_id: _now()}, xx=True, ch=True) == 1
    worker = WorkerNode.start("next", procfile.worker_line(*QUEUES), clean_environment(**settings), tmp_path, janitor)
    called = bare_gateway.run(
        *("celery", "-A", "workers", "call", "sms.wake", "--queue", "sms.chores"),
        SMSGATE_REDIS_URL=bare_gateway.redis_url,
    )
    assert called.returncode == 0, called.stderr
    known = bare_gateway.until_state(message_id, "dead")
    worker.teardown()

    assert (known["attempts"], known["reason"]) == (5, "Throttling.User")
    assert _listed(bare_gateway, reason="Throttling.*") == [message_id]
    assert bare_gateway.received(message_id) == []


def test_twenty_requests_that_replay_one_letter_send_one_sms(gateway: Gateway) -> None:
    message_id = _die(gateway, _reason())

    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: _replay(gateway, {"ids": [message_id]}), range(20)))
    gateway.until_state(message_id, "delivered")
    gateway.until_idle()

    assert sum(one["replayed"] for one in done) == 1
    assert {one["why"] for many in done for one in many["skipped"]} == {"not_dead"}
    assert len(gateway.received(message_id)) == 1


def test_a_client_sees_its_own_letters_and_those_that_nobody_owns(resting: Gateway) -> None:
    reason, shop, bank = _reason(), resting.new_key("shop"), resting.new_key("bank")
    own, nobodys = _die(resting, reason, client="shop"), _die(resting, reason)

    assert set(_listed(resting, shop, reason=reason)) == {own, nobodys}
    assert _listed(resting, bank, reason=reason) == [nobodys]
    assert resting.web.ask("GET", f"{LETTERS}/{own}", bank).status_code == 404
    assert resting.web.ask("DELETE", f"{LETTERS}/{own}", bank).status_code == 404
    assert resting.web.ask("DELETE", f"/v1/messages/{own}", bank).status_code == 404
    assert _replay(resting, {"ids": [own]}, bank)["skipped"] == [{"id": own, "why": "missing"}]
    assert _replay(resting, {"reason": reason}, bank)["replayed"] == 1
    assert _listed(resting, shop, reason=reason) == [own]


def test_pages_follow_each_other_by_their_cursor(resting: Gateway) -> None:
    reason = _reason()
    ids = [_die(resting, reason, ago=10 - number) for number in range(5)]

    pages, cursor = [], {}
    for _ in range(3):
        answer = resting.web.ask("GET", LETTERS, resting.key, params={"reason": reason, "limit": 2, **cursor}).json()
        pages.append([one["id"] for one in answer["dead_letters"]])
        cursor = {"cursor": answer["next"]}

    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert cursor == {"cursor": None}


def test_letters_are_found_by_their_time(resting: Gateway) -> None:
    reason = _reason()
    old, new = _die(resting, reason, ago=7200), _die(resting, reason)
    hour_ago = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 3600))

    assert _listed(resting, reason=reason, since=hour_ago) == [new]
    assert _listed(resting, reason=reason, until=hour_ago) == [old]


def test_a_letter_is_shown_with_its_number_masked_and_without_its_parameters(resting: Gateway) -> None:
    phone = fresh_phone()
    message_id = _die(resting, _reason(), to=phone)

    answer = resting.web.ask("GET", f"{LETTERS}/{message_id}", resting.key)

    assert (answer.json()["state"], answer.json()["final"]) == ("dead", True)
    assert phone not in answer.text
    assert "135790" not in answer.text


def test_a_dropped_letter_is_cancelled_and_gone_from_the_list(resting: Gateway) -> None:
    reason = _reason()
    message_id = _die(resting, reason)
    path = f"{LETTERS}/{message_id}"

    assert resting.web.ask("DELETE", path, resting.key).status_code == 204
    assert resting.web.ask("DELETE", path, resting.key).status_code == 204
    assert resting.show(message_id)["state"] == "cancelled"
    assert _listed(resting, reason=reason) == []
    assert resting.web.ask("GET", path, resting.key).status_code == 404
    assert resting.web.ask("DELETE", f"{LETTERS}/none", resting.key).status_code == 404


def test_what_is_not_dead_is_neither_replayed_nor_dropped(resting: Gateway) -> None:
    message_id = resting.send()

    answer = resting.web.ask("DELETE", f"{LETTERS}/{message_id}", resting.key)
    done = _replay(resting, {"ids": [message_id, "none"]})

    assert (answer.status_code, answer.json()["state"]) == (409, "queued")
    assert answer.json()["type"] == "urn:smsgate:problem:not-dead"
    assert done["replayed"] == 0
    assert done["skipped"] == [{"id": message_id, "why": "not_dead"}, {"id": "none", "why": "missing"}]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ("since=yesterday", "since"),
        ("until=2026-01-01T00:00:00", "until"),
        ("since=2026-01-01T00:00:00+08:00", "%2B"),
        ("lane=fast", "lane"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("reason=", "reason"),
        ("reasons=x", "reasons"),
        ("lane=otp&lane=bulk", "lane"),
    ],
)
def test_a_bad_parameter_is_named(resting: Gateway, parameters: str, field: str) -> None:
    answer = resting.web.ask("GET", f"{LETTERS}?{parameters}", resting.key)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert field in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "all"),
        ({"limit": 5}, "all"),
        ({"all": False}, "all"),
        ({"all": True, "reason": "x"}, "all"),
        ({"ids": []}, "ids"),
        ({"ids": "m1"}, "ids"),
        ({"ids": ["a b"]}, "ids"),
        ({"ids": [1]}, "ids"),
        ({"ids": ["m1"], "reason": "x"}, "reason"),
        ({"ids": ["m1"], "all": True}, "all"),
        ({"all": True, "rate": 0}, "rate"),
        ({"all": True, "rate": "5"}, "rate"),
        ({"all": True, "rate": True}, "rate"),
        ({"all": True, "rate": 1e9}, "rate"),
        ({"all": True, "limit": 1.5}, "limit"),
        ({"all": True, "limit": True}, "limit"),
        ({"since": 5}, "since"),
        ({"reason": ["x"]}, "reason"),
        ({"lane": {}}, "lane"),
        ({"all": True, "speed": 1}, "speed"),
    ],
)
def test_a_bad_replay_is_refused_by_its_field(resting: Gateway, body: dict[str, Any], field: str) -> None:
    answer = resting.web.ask("POST", f"{LETTERS}/replay", resting.key, json=body)

    assert answer.status_code == 422, answer.text
    assert field in [one["field"] for one in answer.json()["errors"]] or field in answer.text


def test_a_message_is_called_back_before_it_is_sent_and_again_without_harm(resting: Gateway) -> None:
    message_id = resting.send()

    for _ in range(2):
        answer = resting.web.ask("DELETE", f"/v1/messages/{message_id}", resting.key)
        assert answer.status_code == 200
        assert (answer.json()["state"], answer.json()["final"]) == ("cancelled", True)
    assert states(answer.json()) == ["queued", "cancelled"]
    assert resting.web.ask("DELETE", "/v1/messages/none", resting.key).status_code == 404


def test_a_cancelled_message_is_not_sent_although_its_task_is_queued(own_gateway: Gateway) -> None:
    own_gateway.sandbox.fault(kind="latency", ms=1500)
    before = [own_gateway.send(lane="bulk") for _ in range(6)]
    until(lambda: own_gateway.redis.llen(Queue.BULK), "tasks wait")
    message_id = own_gateway.send(lane="bulk")
    answer = own_gateway.web.ask("DELETE", f"/v1/messages/{message_id}", own_gateway.key)

    assert answer.json()["state"] == "cancelled"
    for one in before:
        own_gateway.until_state(one, "delivered")
    own_gateway.until_idle()
    assert own_gateway.received(message_id) == []


def test_after_it_was_sent_it_is_too_late(gateway: Gateway) -> None:
    message_id = gateway.send()
    gateway.until_state(message_id, "delivered")

    answer = gateway.web.ask("DELETE", f"/v1/messages/{message_id}", gateway.key)

    assert (answer.status_code, answer.json()["state"]) == (409, "delivered")
    assert answer.json()["type"] == "urn:smsgate:problem:too-late"
    dead = _die(gateway, _reason())
    assert "dead-letters" in gateway.web.ask("DELETE", f"/v1/messages/{dead}", gateway.key).text


def test_a_message_with_a_time_to_send_says_so_until_then(resting: Gateway) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 3600))
    url = "https://hooks.example.com/secret/path"
    known = resting.show(resting.send(send_at=at, on_uncertain="resend", callback_url=url))

    assert known["send_at"] == known["not_before"] == known["timeline"][0]["send_at"] == f"{at[:19]}.000Z"
    assert (known["on_uncertain"], known["callback_host"]) == ("resend", "hooks.example.com")
    assert "secret" not in str(known)
    assert {"send_at", "not_before", "on_uncertain", "callback_host"}.isdisjoint(resting.show(resting.send()))
