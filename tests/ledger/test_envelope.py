"""What we push to Redis, beside what the installed Celery pushes for the same task."""

import json
from base64 import b64decode
from typing import Any

import pytest
import redis
from celery import Celery

from smsgate.flow.submit import Submit, arguments
from smsgate.ledger.records import Records
from smsgate.masking import shown_arguments
from smsgate.message import Lane, Message
from smsgate.queues import LANE_QUEUES, TaskName

# Each is new with every message or every process.
CHANGING = {"delivery_tag", "reply_to"}


def _by_celery(redis_url: str, message: Message, message_id: str) -> None:
    app = Celery("theirs", broker=redis_url, set_as_current=False)
    app.conf.task_ignore_result = True

    @app.task(name=TaskName.SEND)
    def task(*_args: Any, **_kwargs: Any) -> None:
        """It is published and never run."""

    args, kwargs = arguments(message)
    shown = dict(zip(("argsrepr", "kwargsrepr"), shown_arguments(args, kwargs), strict=True))
    with app.connection_for_write() as connection:
        queue = LANE_QUEUES[message.lane]
        task.apply_async(args, kwargs, task_id=message_id, queue=queue, connection=connection, **shown)


def _read(store: redis.Redis, lane: Lane) -> dict[str, Any]:
    known = json.loads(store.lpop(LANE_QUEUES[lane]))
    known["properties"] = {name: value for name, value in known["properties"].items() if name not in CHANGING}
    known["body"] = json.loads(b64decode(known["body"]))
    return known


@pytest.mark.parametrize("lane", list(Lane))
def test_a_sealed_message_is_what_celery_would_have_written(
    redis_url: str, records: Records, store: redis.Redis, lane: Lane
) -> None:
    message = Message.check(
        {"to": "13800138000", "template": "T", "params": {"名": "👋\u2028"}, "lane": lane.value, "sign": "阿里"}
    )
    Submit(records)(message, message_id="m1")
    ours = _read(store, lane)
    _by_celery(redis_url, message, "m1")
    theirs = _read(store, lane)
    assert ours["headers"] == theirs["headers"]
    assert ours["properties"] == theirs["properties"]
    assert ours == theirs
