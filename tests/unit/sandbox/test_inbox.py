"""What was accepted is found again, counted, and bounded."""

from itertools import count

from smsgate.sandbox.inbox import Delivery, Inbox, Message, Query

_SERIALS = count(1)


def message(phone: str = "13800138000", out_id: str = "", text: str = "Hello") -> Message:
    return Message(next(_SERIALS), "biz", phone, out_id, "sign", "SMS_1", text, "", 0.0)


def outs(inbox: Inbox, query: Query) -> list[str]:
    return [found.out_id for found in inbox.find(query)]


def test_messages_are_found_by_number_out_id_and_text_newest_first() -> None:
    inbox = Inbox(10)
    inbox.add(message(out_id="a", text="first"))
    inbox.add(message("13900000000", "b", "SECOND"))
    inbox.add(message(out_id="c", text="third"))
    assert outs(inbox, Query()) == ["c", "b", "a"]
    assert outs(inbox, Query(phone="13800138000")) == ["c", "a"]
    assert outs(inbox, Query(out_id="b")) == ["b"]
    assert outs(inbox, Query(text="second")) == ["b"]
    assert outs(inbox, Query(text="3900")) == ["b"]
    assert outs(inbox, Query(phone="13700000000")) == []


def test_a_pair_of_number_and_out_id_that_comes_again_is_a_duplicate() -> None:
    inbox = Inbox(10)
    for out_id in ("a", "a", "a", "b", "", ""):
        inbox.add(message(out_id=out_id))
    inbox.add(message("13900000000", "a"))
    assert inbox.duplicates() == {
        "pairs": 1,
        "extra_messages": 2,
        "examples": [{"phone": "13800138000", "out_id": "a", "times": 3}],
    }


def test_the_oldest_makes_room_and_nothing_of_it_stays() -> None:
    inbox = Inbox(2)
    old = message("13900000000", "old")
    for each in (old, message(out_id="b"), message(out_id="b"), message(out_id="c")):
        inbox.add(each)
    inbox.settle(old, Delivery.DELIVERED, "DELIVERED", 1.0)
    assert outs(inbox, Query(phone="13900000000")) == []
    assert inbox.duplicates()["pairs"] == 0
    assert inbox.counts() == {
        "accepted": 4,
        "evicted": 2,
        "kept": 2,
        "waiting": 2,
        "delivered": 0,
        "undelivered": 0,
        "phone_received": 2,
    }


def test_what_was_settled_is_counted_under_its_new_state() -> None:
    inbox = Inbox(2)
    one = message()
    inbox.add(one)
    inbox.settle(one, Delivery.UNDELIVERED, "NO_ROUTE", 5.0)
    assert inbox.counts()["undelivered"] == 1
    assert inbox.counts()["waiting"] == 0
    inbox.clear()
    assert inbox.counts()["undelivered"] == 0


def test_every_change_is_told() -> None:
    told: list[str] = []
    inbox = Inbox(2, changed=lambda: told.append("changed"))
    one = message()
    inbox.add(one)
    inbox.settle(one, Delivery.DELIVERED, "DELIVERED", 1.0)
    inbox.clear()
    assert len(told) == 3
