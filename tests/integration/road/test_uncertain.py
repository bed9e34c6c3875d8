"""What may have been sent is asked about, at the provider and over the wire, and never sent twice."""

from typing import Final

from tests.integration.nodes.gateway import Gateway, fresh_phone, states
from tests.integration.nodes.until import until

# The messages of one test wait for their questions together.
BROKEN: Final[list[dict[str, object]]] = [{"kind": "hang", "seconds": 5}, {"kind": "reset"}, {"kind": "unavailable"}]
NEVER_TAKEN: Final[list[dict[str, object]]] = [
    *BROKEN,
    {"kind": "html"},
    {"kind": "business_error", "code": "isp.SYSTEM_ERROR"},
]


def test_a_message_that_went_out_although_its_call_failed_is_delivered_and_went_once(tended: Gateway) -> None:
    phones = [fresh_phone() for _ in BROKEN]
    for phone, fault in zip(phones, BROKEN, strict=True):
        tended.sandbox.fault(**fault, accepted=True, count=1, match={"phone": phone})
        tended.sandbox.fault(kind="receipt_lost", match={"phone": phone})
    for message_id in [tended.send(phone) for phone in phones]:
        known = tended.until_state(message_id, "delivered", within=40)
        assert "uncertain" in states(known)
        assert known["attempts"] == 1
        assert len(tended.received(message_id)) == 1


def test_a_message_that_did_not_go_out_goes_again_when_the_provider_does_not_know_it(tended: Gateway) -> None:
    phones = [fresh_phone() for _ in NEVER_TAKEN]
    for phone, fault in zip(phones, NEVER_TAKEN, strict=True):
        tended.sandbox.fault(**fault, count=1, match={"phone": phone})
    for message_id in [tended.send(phone) for phone in phones]:
        known = tended.until_state(message_id, "delivered", within=40)
        assert states(known) == ["queued", "sending", "uncertain", "queued", "sending", "sent", "delivered"]
        assert known["timeline"][3]["reason"] == "unknown_to_provider"
        assert len(tended.received(message_id)) == 1


def test_a_message_whose_provider_cannot_be_asked_is_held_until_it_can(tended: Gateway) -> None:
    phone = fresh_phone()
    tended.sandbox.fault(kind="reset", accepted=True, count=1, match={"phone": phone})
    tended.sandbox.fault(kind="receipt_lost", match={"phone": phone})
    deaf = tended.sandbox.fault(kind="unavailable", match={"phone": phone, "action": "QuerySendDetails"})
    message_id = tended.send(phone)
    tended.until_state(message_id, "uncertain")
    until(lambda: _struck(tended, deaf["id"]), "the provider was asked in vain")
    assert tended.show(message_id)["state"] == "uncertain"
    tended.sandbox.clear_faults()
    # The next question comes later than the one before; this test does not wait for it.
    until(lambda: not tended.tasks(), "the question has ended")
    tended.redis.zadd("sms:uncertain", {message_id: 0}, xx=True)
    assert tended.until_state(message_id, "delivered")["attempts"] == 1
    assert len(tended.received(message_id)) == 1


def _struck(gateway: Gateway, fault_id: str) -> int:
    faults = gateway.sandbox.stats()["faults"]
    return next((int(fault["struck"]) for fault in faults if fault["id"] == fault_id), 0)


def test_a_receipt_that_never_came_is_asked_for(tended: Gateway) -> None:
    phone = fresh_phone()
    tended.sandbox.fault(kind="receipt_lost", match={"phone": phone})
    message_id = tended.send(phone)
    known = tended.until_state(message_id, "delivered", within=40)
    assert states(known) == ["queued", "sending", "sent", "delivered"]


def test_a_bad_word_in_a_receipt_that_was_asked_for_is_told(tended: Gateway) -> None:
    phone = fresh_phone()
    tended.sandbox.fault(kind="undeliverable", err_code="MOBILE_IN_BLACK", match={"phone": phone})
    tended.sandbox.fault(kind="receipt_lost", match={"phone": phone})
    known = tended.until_state(tended.send(phone), "undelivered", within=40)
    assert known["reason"] == "blacklisted"
