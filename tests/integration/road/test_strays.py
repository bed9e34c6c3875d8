"""What lies in a queue and is no message of ours: kept as a stray, while the worker goes on."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import Celery

from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.strays import Stray, StrayReason, Strays
from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import TEMPLATE, Gateway, fresh_phone
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode

CODE = "Sx81Kq"


def _body(args: Any = (), kwargs: Any = None) -> str:
    body = [args, {} if kwargs is None else kwargs, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    return base64.b64encode(json.dumps(body).encode()).decode()


def _old_body(args: Any, kwargs: Any) -> str:
    body = {"task": "sms.send", "id": str(uuid4()), "args": args, "kwargs": kwargs}
    return base64.b64encode(json.dumps(body).encode()).decode()


def _message(change: Callable[[dict[str, Any]], object] = lambda _: None, **fields: Any) -> str:
    """Write a Celery message of a task that exists, but for one change."""
    tag = str(uuid4())
    message = {
        "body": _body([fresh_phone(), TEMPLATE, {"code": CODE}]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": "sms.send", "id": tag, "retries": 0, "eta": None, "expires": None},
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": "sms.otp"},
            "delivery_tag": tag,
            "priority": 0,
        },
        **fields,
    }
    change(message)
    return json.dumps(message)


NO_MESSAGES: dict[str, str | bytes] = {
    "text that is no JSON": "hello",
    "nothing": "",
    "a number": "5",
    "a phone number": "13800138000",
    "a list": "[1, 2]",
    "null": "null",
    "a string": '"x"',
    "an endless nesting": "[" * 100_000,
    "bytes that are no UTF-8": b"\xff\xfe\x00",
    "an unknown type of JSON": '{"__type__": "x", "__value__": 1}',
    "an empty object": "{}",
    "no body": _message(lambda known: known.pop("body")),
    "an empty body": _message(body=""),
    "a body that is a number": _message(body=7),
    "bad base64": _message(body="a"),
    "a body encoding that is unknown": _message(lambda known: known["properties"].update(body_encoding="rot13")),
    "a body encoding that is a list": _message(lambda known: known["properties"].update(body_encoding=["x"])),
    "no properties": _message(lambda known: known.pop("properties")),
    "properties that are a list": _message(properties=[1]),
    "no delivery tag": _message(lambda known: known["properties"].pop("delivery_tag")),
    "a delivery tag that is an object": _message(lambda known: known["properties"].update(delivery_tag={"a": 1})),
    "a delivery tag that is no text": _message(lambda known: known["properties"].update(delivery_tag="\ud800")),
    "no delivery info": _message(lambda known: known["properties"].pop("delivery_info")),
    "delivery info that is text": _message(lambda known: known["properties"].update(delivery_info="x")),
    "headers that are a list": _message(headers=[1]),
    "headers that are null": _message(headers=None),
}
NO_TASKS: dict[str, str] = {
    "no headers": _message(headers={}),
    "no task": _message(lambda known: known["headers"].pop("task")),
    "a task that is a list": _message(lambda known: known["headers"].update(task=[1])),
    "a task that is null": _message(lambda known: known["headers"].update(task=None)),
    "a task that nobody knows": _message(lambda known: known["headers"].update(task="sms.sned")),
    "no id": _message(lambda known: known["headers"].pop("id")),
    "another content type": _message(**{"content-type": "application/x-python-serialize"}),
    "a content type that is unknown": _message(**{"content-type": "text/html"}),
    "a content type that is a list": _message(**{"content-type": [1]}),
    "a compression that is unknown": _message(lambda known: known["headers"].update(compression="x")),
    "a body that is no JSON": _message(body=base64.b64encode(b"{hello").decode()),
    "a body that is no UTF-8": _message(body=base64.b64encode(b"\xff\xfe").decode()),
    "a body of a number": _message(body=base64.b64encode(b"5").decode()),
    "a body of null": _message(body=base64.b64encode(b"null").decode()),
    "a body of two": _message(body=base64.b64encode(b"[[], {}]").decode()),
    "a body that is an object": _message(body=base64.b64encode(b'{"args": 5, "kwargs": 6}').decode()),
    "arguments that are a number": _message(body=_body(5)),
    "arguments that are a number, in Celery 3's form": _message(body=_old_body(5, {})),
    "keyword arguments that are a list": _message(body=_body([], [1])),
    "keyword arguments that are text": _message(body=_body([], "x")),
    "an eta that is no time": _message(lambda known: known["headers"].update(eta="13800138000")),
    "an eta that is a list": _message(lambda known: known["headers"].update(eta=[1])),
    "an expiry that is no time": _message(lambda known: known["headers"].update(expires="soon")),
    "an expiry that is a list": _message(lambda known: known["headers"].update(expires=[1])),
    "a time limit that is a number": _message(lambda known: known["headers"].update(timelimit=5)),
}


def _strays(gateway: Gateway) -> Strays:
    return Strays(connect_briefly(gateway.redis_url))


def _new_strays(gateway: Gateway, since: set[str]) -> list[Stray]:
    return [stray for stray in _strays(gateway).newest() if stray.id not in since]


@pytest.mark.parametrize("entry", [*NO_MESSAGES.values(), *NO_TASKS.values()], ids=[*NO_MESSAGES, *NO_TASKS])
def test_what_is_no_message_becomes_one_stray_and_the_worker_sends_the_next_message(
    gateway: Gateway, entry: str | bytes
) -> None:
    known = {stray.id for stray in _strays(gateway).newest()}

    gateway.redis.lpush("sms.otp", entry)

    message_id = gateway.send()
    gateway.until_state(message_id, "delivered")
    gateway.until_idle()
    (stray,) = _new_strays(gateway, known)
    text = entry if isinstance(entry, str) else entry.decode("utf-8", "surrogateescape")
    assert (stray.entry, stray.queue) == (text, "sms.otp")
    assert stray.reason in set(StrayReason)
    assert gateway.worker is not None
    assert gateway.worker.runs()
    assert _strays(gateway).drop(stray.id)


ODD_HEADERS: list[tuple[str, Any]] = [
    ("timelimit", ["a", "b"]),
    ("timelimit", [-1, {}]),
    ("retries", "x"),
    ("eta", "0001-01-01T00:00:00"),
    ("expires", 1e300),
    ("id", 5),
    ("id", None),
    ("id", {"a": 1}),
    ("group", [1]),
    ("root_id", {}),
    ("shadow", [1]),
    ("origin", 5),
    ("argsrepr", 5),
    ("stamped_headers", 5),
    ("stamps", [1]),
    ("delivery_info", 5),
    ("lang", None),
    ("ignore_result", "x"),
    ("replaced_task_nesting", "x"),
]


@pytest.mark.parametrize(("name", "value"), ODD_HEADERS, ids=[f"{name} {value!r}" for name, value in ODD_HEADERS])
def test_no_header_that_is_odd_ends_a_worker_or_stays_in_its_hands(gateway: Gateway, name: str, value: Any) -> None:
    """Such a task may be run or set aside."""
    gateway.redis.lpush("sms.otp", _message(lambda known: known["headers"].update({name: value})))

    for _ in range(3):
        gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()
    assert gateway.worker is not None
    assert gateway.worker.runs()


def test_no_log_quotes_a_stray(gateway: Gateway) -> None:
    assert gateway.worker is not None
    known, phone = {stray.id for stray in _strays(gateway).newest()}, fresh_phone()
    args = [phone, TEMPLATE, {"code": CODE}]
    entries = [
        _message(body=_body(args), headers={"task": "sms.sned", "id": str(uuid4()), "argsrepr": repr(args)}),
        _message(body=base64.b64encode(f"{{{args}".encode()).decode()),
        _message(body=_body(args, [phone, CODE])),
        _message(body=_body(args), headers={"id": phone, "task": "sms.send", "eta": f"{phone} {CODE}"}),
        _message(body=base64.b64encode(f"{phone} {CODE}".encode() + b"\xff").decode()),
        _message(body=_body(args), **{"content-type": f"{phone} {CODE}"}),
        f"{phone} {CODE}",
        json.dumps(args),
    ]

    gateway.redis.lpush("sms.otp", *entries)

    until(lambda: len(_new_strays(gateway, known)) == len(entries), "each is a stray")
    gateway.until_idle()
    log = gateway.worker.every_log()
    assert phone not in log
    assert CODE not in log
    assert phone not in repr(_new_strays(gateway, known))
    for stray in _new_strays(gateway, known):
        assert stray.id in log
        _strays(gateway).drop(stray.id)


@pytest.mark.parametrize("payload", ["hello", "5", "[]", "{}", '{"properties": {}}', '{"body": 5, "properties": 7}'])
def test_a_broadcast_that_is_none_leaves_the_worker_alone(gateway: Gateway, foreign_app: Celery, payload: str) -> None:
    heard = [gateway.redis.publish(f"/{gateway.database}.{one}", payload) for one in ("celery.pidbox", "celery.x")]

    assert heard[0] == 1
    gateway.until_state(gateway.send(), "delivered")
    assert until(lambda: foreign_app.control.ping(timeout=2), "the worker answers")


@pytest.mark.timeout(180)
def test_a_stray_that_is_requeued_is_run_by_a_worker_that_knows_its_task(
    own_gateway: Gateway, tmp_path: Path, janitor: Janitor
) -> None:
    gateway, phone = own_gateway, fresh_phone()
    with Celery("foreign", broker=gateway.redis_url, set_as_current=False) as app:
        task = app.send_task("sms.later", [phone], queue="sms.otp", task_id=str(uuid4()))
    strays = _strays(gateway)
    (stray,) = until(strays.newest, "it is a stray")
    assert (stray.reason, stray.task_id, stray.queue) == (StrayReason.UNKNOWN_TASK, task.id, "sms.otp")
    assert gateway.worker is not None
    gateway.worker.teardown()

    assert strays.requeue(stray.id)

    assert gateway.redis.lrange("sms.otp", 0, -1) == [stray.entry]
    assert strays.newest() == []
    assert not strays.requeue(stray.id)
    later = tmp_path / "later.py"
    later.write_text(LATER)
    environment = clean_environment(SMSGATE_REDIS_URL=gateway.redis_url, PYTHONPATH=str(tmp_path))
    command = ["celery", "-A", "later", "worker", "-Q", "sms.otp", "--pool", "solo"]
    worker = WorkerNode.start("later", command, environment, tmp_path, janitor)
    try:
        seen = until(lambda: gateway.redis.get("later:seen"), "the task has run")
    finally:
        worker.teardown()
    assert seen == phone
    assert strays.newest() == []


LATER = """
import os, redis
from celery import Celery
app = Celery("later", broker=os.environ["SMSGATE_REDIS_URL"])
@app.task(name="sms.later")
def later(phone):
    redis.Redis.from_url(os.environ["SMSGATE_REDIS_URL"]).set("later:seen", phone)
"""


def test_a_worker_of_any_pool_sets_strays_aside(gateway: Gateway, tmp_path: Path, janitor: Janitor) -> None:
    """The solo and threads pools read the broker in another loop than prefork."""
    database = redis.Redis.from_url(gateway.redis_node.database(9), decode_responses=True)
    database.flushdb()
    environment = clean_environment(SMSGATE_REDIS_URL=gateway.redis_node.database(9))
    line = procfile.worker_line("sms.chores", name="threads")
    line[-1] += " --pool threads"
    worker = WorkerNode.start("threads", line, environment, tmp_path, janitor)
    strays = Strays(connect_briefly(gateway.redis_node.database(9)))
    try:
        database.lpush("sms.chores", "5", _message(), _message(headers={}))
        until(lambda: strays.count() >= 2, "two are strays")
        until(lambda: not database.llen("sms.chores") and not database.hlen("unacked"), "nothing is left")
        assert worker.runs()
    finally:
        worker.teardown()
    assert {stray.reason for stray in strays.newest()} >= {StrayReason.NO_CELERY_MESSAGE, StrayReason.NO_TASK}
