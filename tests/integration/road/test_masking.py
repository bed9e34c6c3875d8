"""Nobody who may look at logs, events or inspections sees a number or a code."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import requests
from celery import Celery

from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import TEMPLATE, Gateway, fresh_phone
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment, free_port
from tests.integration.nodes.until import until

# Values that occur nowhere else by chance.
CODE = "Zq7Xw9"
SECRETS = (CODE, "secret-reference-of-a-client")


@contextmanager
def _watching(app: Celery) -> Iterator[list[dict[str, Any]]]:
    """Collect every event that workers send."""
    events: list[dict[str, Any]] = []
    done = threading.Event()

    def note(event: dict[str, Any]) -> None:
        events.append(event)
        if done.is_set():
            receiver.should_stop = True

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": note})
        thread = threading.Thread(target=lambda: receiver.capture(limit=None, timeout=None, wakeup=True), daemon=True)
        thread.start()
        until(lambda: events, "the first event (a worker's heartbeat) has come")
        yield events
        done.set()
        thread.join(10)


def _by_name(app: Celery, phone: str, template: str = TEMPLATE) -> str:
    kwargs = {"lane": "otp", "reference": SECRETS[1]}
    sent = app.send_task("sms.send", [phone, template, {"code": CODE}], kwargs, queue="sms.otp", task_id=str(uuid4()))
    return str(sent.id)


def _assert_masked(text: str, phones: list[str], where: str) -> None:
    for secret in (*phones, *SECRETS):
        found = text.find(secret)
        assert found < 0, f"{where} shows {secret}: …{text[max(0, found - 200) : found + 80]}…"


@pytest.fixture
def flower(gateway: Gateway, janitor: Janitor) -> Iterator[str]:
    port = free_port()
    environment = clean_environment(
        SMSGATE_REDIS_URL=gateway.redis_url,
        SMSGATE_FLOWER_PORT=str(port),
        SMSGATE_FLOWER_PASSWORD="a-password",
    )
    process = NodeProcess("flower", procfile.line("flower"), environment, gateway.folder, janitor, port)
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _status(f"{url}/healthcheck") == 200, "Flower answers")
        yield url
    finally:
        process.end()


def _status(url: str, **more: Any) -> int:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=10, **more).status_code
        except requests.RequestException:
            return 0


def _flower_tasks(url: str) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{url}/api/tasks", auth=("smsgate", "a-password"), timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def test_logs_events_flower_and_inspections_show_no_number_and_no_code(
    gateway: Gateway, foreign_app: Celery, flower: str
) -> None:
    posted, named, waiting, slow, malformed, refused, invalid = (fresh_phone() for _ in range(7))
    phones = [posted, named, waiting, slow, malformed, refused, invalid]
    gateway.sandbox.fault(kind="throttle", match={"phone": waiting}, count=1, retry_after_ms=4000)
    gateway.sandbox.fault(kind="latency", ms=1200, match={"phone": slow})
    gateway.sandbox.fault(kind="business_error", code="isv.AMOUNT_NOT_ENOUGH", match={"phone": refused})

    with _watching(foreign_app) as events:
        until(lambda: _reports(foreign_app, events), "the worker reports its tasks, as Flower asks every five seconds")
        ids = [
            gateway.send(posted, params={"code": CODE}, reference=SECRETS[1]),
            _by_name(foreign_app, named),
            _by_name(foreign_app, waiting),
            _by_name(foreign_app, refused),
        ]
        foreign_app.send_task("sms.send", [malformed, TEMPLATE, {"code": CODE}, 1], queue="sms.otp")
        foreign_app.send_task("sms.send", [f"{invalid}0", TEMPLATE, {"code": CODE}], queue="sms.otp")
        gateway.until_state(ids[2], "queued")
        scheduled = until(lambda: _inspected(foreign_app, "scheduled", ids[2]), "the retry waits in the worker")
        slow_id = _by_name(foreign_app, slow)
        gateway.until_state(slow_id, "sending")
        active = until(lambda: _inspected(foreign_app, "active", slow_id), "the slow message is in a worker's hands")
        retry = next(entry for entry in gateway.tasks() if ids[2] in entry)
        reserved = json.dumps(foreign_app.control.inspect().reserved())
        queried = json.dumps(foreign_app.control.inspect().query_task(slow_id))
        for message_id in (*ids, slow_id):
            gateway.until_state(message_id, "delivered", "dead")
        gateway.until_idle()
        kinds = ("task-received", "task-started", "task-succeeded", "task-retried", "task-failed")
        until(lambda: set(kinds) <= {event["type"] for event in events}, "events of every kind have come")
    tasks = until(lambda: _all_in(_flower_tasks(flower), [*ids, slow_id]), "Flower knows the tasks")

    seen = {
        "the worker's log": gateway.worker.every_log() if gateway.worker else "",
        "the web's log": gateway.web.logs(),
        "the provider's log": gateway.sandbox.log,
        "celery inspect scheduled": scheduled,
        "celery inspect active": active,
        "celery inspect reserved": reserved,
        "celery inspect query_task": queried,
        "a retry's headers": retry,
        "an event": json.dumps(events, default=str),
        "Flower": json.dumps(tasks),
    }
    for where, text in seen.items():
        _assert_masked(text, phones, where)
    assert "****" in seen["an event"]


def _reports(app: Celery, events: list[dict[str, Any]]) -> bool:
    """Give the worker a task that does nothing, and say whether any has been reported."""
    app.send_task("sms.receive", ["no-push"], queue="sms.receipts")
    return any(event["type"].startswith("task-") for event in events)


def _inspected(app: Celery, what: str, task_id: str) -> str:
    """Ask as `celery inspect` does, until the answer holds the task."""
    answer = json.dumps(getattr(app.control.inspect(), what)())
    return answer if task_id in answer else ""


def _all_in(tasks: dict[str, Any], ids: list[str]) -> dict[str, Any]:
    return tasks if set(ids) <= set(tasks) else {}


def test_arguments_in_one_anothers_place_are_masked_too(gateway: Gateway, foreign_app: Celery) -> None:
    phone = fresh_phone()
    mistakes: list[tuple[list[Any], dict[str, Any]]] = [
        ([TEMPLATE, phone, {"code": CODE}], {}),
        ([TEMPLATE, f"+86{phone}", {"code": CODE}], {}),
        ([{"to": phone}, TEMPLATE, [phone, CODE]], {}),
        ([], {"params": {phone: CODE}, "phone": phone, "to": [phone], "template": phone}),
        ([phone, TEMPLATE, {"code": CODE}], {"lane": phone}),
        ([phone, TEMPLATE, {"code": CODE}], {phone: CODE}),
        ([phone, TEMPLATE, {"code": CODE}, phone, CODE], {}),
    ]

    with _watching(foreign_app) as events:
        for args, kwargs in mistakes:
            task_id = str(uuid4())
            foreign_app.send_task("sms.send", args, kwargs, queue="sms.otp", task_id=task_id)
            gateway.until_state(task_id, "rejected")
            until(lambda: [event for event in events if event.get("uuid") == task_id], "its events have come")  # noqa: B023
        shown = json.dumps([event for event in events if event["type"] == "task-received"], default=str)

    assert gateway.worker is not None
    _assert_masked(gateway.worker.every_log(), [phone], "the worker's log")
    _assert_masked(shown, [phone], "an event")


def test_a_task_that_celery_publishes_itself_is_masked_in_its_queue(resting: Gateway) -> None:
    phone = fresh_phone()
    program = """
import sys
from workers.tasks import send_sms
call = send_sms.s(sys.argv[1], "SMS_154950909", {"code": sys.argv[2]}, lane="otp")
print(call.apply_async(soft_time_limit=9).id)
"""

    done = resting.python(program, phone, CODE, SMSGATE_REDIS_URL=resting.redis_url)

    (entry,) = (entry for entry in resting.tasks() if done.stdout.strip() in entry)
    _assert_masked(entry, [phone], "the queue")


def test_flower_asks_for_its_password(flower: str) -> None:
    assert _status(f"{flower}/api/tasks") == 401
    assert _status(f"{flower}/api/tasks", auth=("smsgate", "a-password")) == 200


def test_the_queue_itself_shows_a_masked_number_beside_the_sealed_one(resting: Gateway) -> None:
    phone = fresh_phone()

    message_id = resting.send(phone, params={"code": CODE})

    entry = next(entry for entry in resting.tasks() if message_id in entry)
    _assert_masked(entry, [phone], "the queue")
    assert json.loads(entry)["headers"]["argsrepr"] == f"('+86{phone[:3]}****{phone[-4:]}', '{TEMPLATE}', {{code}})"


def test_a_task_that_no_worker_knows_is_not_quoted_in_its_log(gateway: Gateway, foreign_app: Celery) -> None:
    """A typo in the task's name: Celery would write the whole message into the log."""
    phone, task_id = fresh_phone(), str(uuid4())
    foreign_app.send_task("sms.sned", [phone, TEMPLATE, {"code": CODE}], queue="sms.otp", task_id=task_id)
    assert gateway.worker is not None
    until(lambda: task_id in gateway.worker.every_log(), "the worker tells of the task that it does not know")
    log = gateway.worker.every_log()
    assert "unregistered task of type 'sms.sned'" in log
    _assert_masked(log, [phone], "the worker's log")
