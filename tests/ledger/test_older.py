"""What was accepted before an upgrade goes on after it."""

import json

import redis

from smsgate.ledger import keys
from smsgate.ledger.record import Claim
from smsgate.ledger.records import Event, Records
from smsgate.message import Lane, MessageId
from smsgate.states import State

AT = 1_767_225_600_000
STORED = {
    "state": "queued",
    "message": json.dumps({"to": "+8613800138000", "template": "T", "params": {"name": "王"}, "lane": "otp"}),
    "reason": "",
    "client": "shop",
    "lane": "otp",
    "accepted_at": AT,
    "valid_until": AT + 300_000,
    "timeline": json.dumps({"at": AT, "state": "queued"}) + "\n",
}


def test_a_record_of_an_older_version_is_read_and_led_to_its_end(records: Records, store: redis.Redis) -> None:
    one = MessageId("m1")
    store.hset(keys.record(one), mapping=STORED)
    begun = records.begin(one, Lane.OTP, redelivered=False, claim=Claim(AT, AT, AT + 60_000, ("aliyun",), 5, 5))
    assert begun.record is not None
    assert begun.record.message is not None
    assert (begun.record.message.to, begun.record.message.params) == ("+8613800138000", {"name": "王"})
    records.move(one, State.SENT, at=AT + 2, detail={"provider_id": "1"})
    known = records.read(one)
    assert known is not None
    assert known.client == "shop"
    assert known.timeline == (
        Event(AT, State.QUEUED),
        Event(AT, State.SENDING, {"attempt": 1, "channel": "aliyun"}),
        Event(AT + 2, State.SENT, {"provider_id": "1"}),
    )


def test_a_task_without_a_message_that_an_older_version_refused_is_read(records: Records, store: redis.Redis) -> None:
    store.hset(keys.record(MessageId("m1")), mapping={**STORED, "state": "rejected", "message": ""})
    known = records.read(MessageId("m1"))
    assert known is not None
    assert (known.state, known.message) == (State.REJECTED, None)
