"""Notices that arrive one by one leave together, each with its own id, state and end."""

from collections import Counter
from datetime import datetime
from typing import Any

from tests.integration.nodes.gateway import Gateway, fresh_phone, states
from tests.integration.nodes.until import until

NOTICE = {"template": "SMS_200000001", "lane": "notice"}


def _send(gateway: Gateway, phone: str, order: str = "1001") -> str:
    return gateway.send(phone, **NOTICE, params={"name": "王先生", "order": order, "date": "明天"})


def _all(gateway: Gateway, ids: list[str], state: str, within: float = 60) -> list[dict[str, Any]]:
    return [gateway.until_state(one, state, within=within) for one in ids]


def _calls(known: list[dict[str, Any]]) -> set[str]:
    return {event["chunk"] for one in known for event in one["timeline"] if "chunk" in event}


def test_notices_leave_together_and_each_phone_gets_its_own_text(gathering: Gateway) -> None:
    phones = [fresh_phone() for _ in range(120)]
    ids = [_send(gathering, phone, order=str(place)) for place, phone in enumerate(phones)]
    known = _all(gathering, ids, "delivered")
    for place, phone in enumerate(phones):
        (received,) = gathering.sandbox.messages(phone=phone)
        assert f"您的订单{place}已发货" in received["text"]
        assert states(known[place]) == ["queued", "sending", "sent", "delivered"]
    assert 2 <= len(_calls(known)) <= 12


def test_a_single_notice_leaves_after_its_wait_and_a_code_does_not_wait(gathering: Gateway) -> None:
    notice, code = _send(gathering, fresh_phone()), gathering.send(fresh_phone())
    waits = []
    for one in (notice, code):
        queued, sending = gathering.until_state(one, "delivered")["timeline"][:2]
        waits.append((datetime.fromisoformat(sending["at"]) - datetime.fromisoformat(queued["at"])).total_seconds())
    assert waits[0] >= 1
    assert waits[1] < waits[0]


def test_one_that_is_refused_fails_alone(gathering: Gateway) -> None:
    bad = fresh_phone()
    gathering.sandbox.fault(kind="business_error", code="isv.MOBILE_NUMBER_ILLEGAL", match={"phone": bad})
    phones = [*(fresh_phone() for _ in range(10)), bad, *(fresh_phone() for _ in range(10))]
    ids = [_send(gathering, phone) for phone in phones]
    ends = Counter(gathering.until_state(one, "delivered", "failed", within=60)["state"] for one in ids)
    assert ends == {"delivered": 20, "failed": 1}
    assert gathering.show(ids[10])["reason"] == "isv.MOBILE_NUMBER_ILLEGAL"


def test_a_chunk_whose_answer_was_lost_is_asked_about_message_by_message(gathering: Gateway) -> None:
    taken, lost = fresh_phone(), fresh_phone()
    gathering.sandbox.fault(kind="reset", accepted=True, count=1, match={"phone": taken})
    gathering.sandbox.fault(kind="receipt_lost", match={"phone": taken})
    phones = [taken, *(fresh_phone() for _ in range(5))]
    ids = [_send(gathering, phone) for phone in phones]
    _all(gathering, ids, "delivered")
    gathering.sandbox.fault(kind="reset", count=1, match={"phone": lost})
    again = [_send(gathering, phone) for phone in (lost, fresh_phone())]
    known = _all(gathering, again, "delivered")
    assert {one["attempts"] for one in known} == {2}
    assert {len(gathering.sandbox.messages(phone=phone)) for phone in (*phones, lost)} == {1}


def test_a_worker_killed_in_its_call_loses_none_and_sends_none_twice(gathering: Gateway) -> None:
    assert gathering.worker is not None
    slow = fresh_phone()
    gathering.sandbox.fault(kind="latency", ms=1400, count=1, match={"phone": slow})
    phones = [slow, *(fresh_phone() for _ in range(30))]
    ids = [_send(gathering, phone) for phone in phones]
    until(lambda: "sending" in {gathering.show(one)["state"] for one in ids[:5]}, "the chunk is in the call")
    gathering.worker.process.kill()
    gathering.worker.process.start()
    _all(gathering, ids, "delivered", within=100)
    assert {len(gathering.sandbox.messages(phone=phone)) for phone in phones} == {1}
