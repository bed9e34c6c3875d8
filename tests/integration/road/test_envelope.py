"""The Celery message that we write by hand is the one that Celery itself would have written."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from redis import Redis

from smsgate.flow.submit import Submit
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.pushes import Push, Pushes, PushKind
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.ledger.webhooks import Due, Webhooks
from smsgate.message import Message, MessageId
from tests.integration.nodes.gateway import TEMPLATE, fresh_phone
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode

# A database with neither web nor workers.
QUIET = 2
# What names the sending process or this one delivery, and so cannot be the same twice.
_OWN = {"headers": {"origin"}, "properties": {"delivery_tag", "reply_to"}}

_BY_CELERY = """
import json, sys
from celery import Task
from workers.tasks import notify, receive, send_sms
given = json.loads(sys.argv[1])
task = {"sms.send": send_sms, "sms.receive": receive, "sms.notify": notify}[given.pop("task")]
Task.apply_async(task, tuple(given.pop("args")), **given)
"""


def _popped(redis: Redis, queue: str) -> dict[str, Any]:
    assert redis.llen(queue) == 1
    entry: dict[str, Any] = json.loads(str(redis.rpop(queue)))
    return entry


def _by_celery(redis_node: RedisNode, queue: str, **given: Any) -> dict[str, Any]:
    """Have the installed Celery publish the same task, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _BY_CELERY, json.dumps({**given, "queue": queue})],
        env=clean_environment(SMSGATE_REDIS_URL=redis_node.database(QUIET)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return _popped(redis_node.connect(QUIET), queue)


def _body(entry: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(entry["body"]))


def _assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Compare keys and their order, types, and values wherever they can be the same."""
    assert list(ours) == list(theirs)
    assert _body(ours) == _body(theirs)
    assert ours["body"] == theirs["body"]
    for part in ("headers", "properties"):
        assert list(ours[part]) == list(theirs[part])
        for name, value in theirs[part].items():
            assert type(ours[part][name]) is type(value), name
            if name not in _OWN[part]:
                assert ours[part][name] == value, name
    for part in ("content-encoding", "content-type"):
        assert ours[part] == theirs[part]


def test_a_message_is_queued_as_celery_would_have_queued_it(redis_node: RedisNode) -> None:
    redis = redis_node.connect(QUIET)
    fields = {"to": fresh_phone(), "template": TEMPLATE, "params": {"code": "135790", "名": '张三 \u2028"\\'}}
    message = Message.check({**fields, "lane": "otp", "valid_for": 60, "sign": "签名"})

    submitted = Submit(Records(connect_briefly(redis_node.database(QUIET)), retention=Retention(60)))(message)
    ours = _popped(redis, "sms.otp")

    args, kwargs, _ = _body(ours)
    theirs = _by_celery(
        redis_node,
        "sms.otp",
        task="sms.send",
        args=args,
        kwargs=kwargs,
        task_id=submitted.id,
        argsrepr=ours["headers"]["argsrepr"],
        kwargsrepr=ours["headers"]["kwargsrepr"],
    )
    _assert_same(ours, theirs)
    assert ours["headers"]["origin"].partition("@")[2] == theirs["headers"]["origin"].partition("@")[2]


def test_a_push_is_queued_as_celery_would_have_queued_it(redis_node: RedisNode) -> None:
    redis = redis_node.connect(QUIET)

    Pushes(connect_briefly(redis_node.database(QUIET))).store(Push("push-1", PushKind.SMS_REPORT, "[]"))
    ours = _popped(redis, "sms.receipts")

    shown = {"argsrepr": "('push-1',)", "kwargsrepr": "{}"}
    theirs = _by_celery(redis_node, "sms.receipts", task="sms.receive", args=["push-1"], task_id="push-1", **shown)
    _assert_same(ours, theirs)


def test_a_webhook_is_queued_as_celery_would_have_queued_it(redis_node: RedisNode) -> None:
    redis = redis_node.connect(QUIET)
    redis.zadd("sms:webhooks", {"m1": 5})

    Webhooks(connect_briefly(redis_node.database(QUIET))).lease(Due(MessageId("m1"), 5), 1_767_225_600_000)
    ours = _popped(redis, "sms.webhooks")

    shown = {"argsrepr": "('m1', 1767225600000)", "kwargsrepr": "{}"}
    task_id = ours["headers"]["id"]
    args = ["m1", 1_767_225_600_000]
    theirs = _by_celery(redis_node, "sms.webhooks", task="sms.notify", args=args, task_id=task_id, **shown)
    _assert_same(ours, theirs)


def test_a_stock_celery_worker_takes_our_message(redis_node: RedisNode, tmp_path: Path, janitor: Janitor) -> None:
    message = Message.check({"to": fresh_phone(), "template": TEMPLATE, "params": {"code": "135790"}, "lane": "otp"})
    submitted = Submit(Records(connect_briefly(redis_node.database(3)), retention=Retention(60)))(message)
    app = Path(__file__).parents[1] / "nodes" / "stock_worker.py"
    environment = clean_environment(STOCK_BROKER=redis_node.database(3), PYTHONPATH=str(app.parent))
    command = ["celery", "-A", app.stem, "worker", "-Q", "sms.otp", "--pool", "solo", "--loglevel", "INFO"]
    worker = WorkerNode.start("stock", command, environment, tmp_path, janitor)
    try:
        seen = until(lambda: redis_node.connect(3).lpop("stock:seen"), "the stock worker runs the task")
    finally:
        worker.teardown()

    taken = json.loads(str(seen))
    assert taken["id"] == submitted.id
    assert taken["args"] == [message.to, TEMPLATE, {"code": "135790"}]
    assert taken["kwargs"] == {"lane": "otp"}
    assert message.to not in taken["shown"]
