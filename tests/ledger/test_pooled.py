"""Connections of a pool publish, and take answers; tasks are none of their business."""

import time
from queue import Empty

import pytest
import redis

from smsgate.ledger.unacked import Unacked
from workers.broker import Connection


@pytest.mark.parametrize(
    "entry", ['[{"headers": {}, "properties": {"delivery_tag": "t", "delivery_info": {}}}, "", "sms.otp"]', "no JSON"]
)
def test_whoever_waits_for_an_answer_takes_no_task_out_of_a_workers_hands(
    redis_url: str, store: redis.Redis, entry: str
) -> None:
    unacked = Unacked(store, "unacked_index", "unacked")
    unacked.note("t", {"properties": {"delivery_tag": "t"}}, "sms.otp")
    store.hset("unacked", "t", entry)
    store.zadd("unacked_index", {"t": time.time() - 86_400})
    with Connection(redis_url).Pool(1).acquire() as connection:
        answers = connection.SimpleQueue("answers")
        with pytest.raises(Empty):
            answers.get(timeout=0.2)
        answers.close()
    assert store.hgetall("unacked") == {"t": entry}
    assert store.llen("sms.otp") == 0
