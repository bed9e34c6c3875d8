"""`send_sms.delay(…)` from a Python program of somebody else, which has the broker's URL and nothing more."""

import json
from uuid import uuid4

import pytest

from tests.integration.nodes.gateway import Gateway, fresh_phone, states

_DELAY = """
import sys
from workers.tasks import send_sms
result = send_sms.delay(sys.argv[1], "SMS_154950909", {"code": "135790"}, lane="otp", reference="billing")
print(result.id)
"""


@pytest.mark.parametrize("variable", ["SMSGATE_REDIS_URL", "CELERY_BROKER_URL"])
def test_delay_delivers_and_the_task_id_is_the_message_id(gateway: Gateway, variable: str) -> None:
    phone = fresh_phone()

    done = gateway.python(_DELAY, phone, **{variable: gateway.redis_url})

    assert done.returncode == 0, done.stderr
    message_id = done.stdout.strip()
    known = gateway.until_state(message_id, "delivered")
    assert (known["reference"], known["lane"]) == ("billing", "otp")
    (sms,) = gateway.sandbox.messages(phone=phone)
    assert sms["out_id"] == message_id


_REFUSED = """
import json, sys
from workers.tasks import send_sms
phone, template, code = sys.argv[1], "SMS_154950909", {"code": "Hq5Wz1"}
options = {"countdown": 5, "eta": 5, "expires": 5, "queue": "sms.bulk", "priority": 1, "serializer": "pickle"}
calls = {
    "number": lambda: send_sms.delay(phone[:5], template, code),
    "params": lambda: send_sms.delay(phone, template, {"code": 123456}),
    "lane": lambda: send_sms.delay(phone, template, code, lane="soon"),
    "several": lambda: send_sms.delay(phone[:5], "?", code, valid_for=0),
    "task id": lambda: send_sms.apply_async((phone, template, code), task_id="a b"),
    "missing": lambda: send_sms.delay(phone),
    "unknown": lambda: send_sms.delay(phone, template, code, colour="red"),
    "called": lambda: send_sms(phone, template, code),
    **{name: lambda name=name, value=value: send_sms.apply_async((phone, template, code), **{name: value})
       for name, value in options.items()},
}
said = {}
for name, call in calls.items():
    try:
        call()
    except Exception as error:
        said[name] = [type(error).__name__, isinstance(error, ValueError), str(error)]
print(json.dumps(said))
"""


def test_a_call_that_cannot_be_kept_raises_at_the_caller_and_queues_nothing(resting: Gateway) -> None:
    before = resting.redis.dbsize()

    done = resting.python(_REFUSED, fresh_phone(), SMSGATE_REDIS_URL=resting.redis_url)

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for call, field in {"number": "to", "params": "params.code", "lane": "lane", "task id": "task_id"}.items():
        assert said[call][:2] == ["InvalidMessage", True]
        assert said[call][2].startswith(f"{field}: ")
    assert all(f"{field}: " in said["several"][2] for field in ("to", "template", "valid_for"))
    assert {said[call][0] for call in ("missing", "unknown", "called")} == {"TypeError"}
    for option in ("countdown", "eta", "expires", "queue", "priority", "serializer"):
        assert said[option][0] == "ValueError"
        assert said[option][2].startswith(f"{option}: ")
    assert "Hq5Wz1" not in done.stdout
    assert resting.redis.dbsize() == before


_CANVAS = """
import json, sys
from celery import chain, group
from workers.tasks import send_sms
first, second, third, fourth, fifth = sys.argv[1:]
template, code = "SMS_154950909", {"code": "135790"}
sent = group(send_sms.s(phone, template, code, lane="otp") for phone in (first, second)).apply_async()
linked = send_sms.apply_async((third, template, code), link=send_sms.si(fourth, template, code, lane="otp"))
print(json.dumps([*(result.id for result in sent.results), linked.id]))
"""


def test_a_group_and_a_callback_are_sent_message_by_message(gateway: Gateway) -> None:
    phones = [fresh_phone() for _ in range(5)]

    done = gateway.python(_CANVAS, *phones, SMSGATE_REDIS_URL=gateway.redis_url)

    assert done.returncode == 0, done.stderr
    for message_id in json.loads(done.stdout):
        assert states(gateway.until_state(message_id, "delivered")) == ["queued", "sending", "sent", "delivered"]
    gateway.until_idle()
    assert [len(gateway.sandbox.messages(phone=phone)) for phone in phones] == [1, 1, 1, 1, 0]


_NO_JSON = """
import sys
from workers.tasks import send_sms
try:
    send_sms.apply_async((sys.argv[1], "SMS_154950909", {"code": "135790"}), headers={"trace": object()})
except Exception as error:
    print(type(error).__name__)
"""


def test_a_call_whose_options_cannot_be_published_leaves_no_message_behind(resting: Gateway) -> None:
    """The sweep would find it without a task, and send what its caller takes for refused."""
    before = resting.redis.keys("sms:msg:*")
    done = resting.python(_NO_JSON, fresh_phone(), SMSGATE_REDIS_URL=resting.redis_url)
    assert (done.returncode, done.stdout.strip()) == (0, "TypeError"), done.stderr
    assert resting.redis.keys("sms:msg:*") == before


_WITH_AN_ID = """
import sys
from workers.tasks import send_sms
call = (sys.argv[1], "SMS_154950909", {"code": "135790"})
print(send_sms.apply_async(call, {"lane": "otp"}, task_id=sys.argv[2]).id)
"""


def test_the_same_task_id_again_after_its_message_went_out_is_no_second_sms(gateway: Gateway) -> None:
    phone, task_id = fresh_phone(), f"order-{uuid4().hex}"

    first = gateway.python(_WITH_AN_ID, phone, task_id, SMSGATE_REDIS_URL=gateway.redis_url)
    known = gateway.until_state(task_id, "delivered")
    second = gateway.python(_WITH_AN_ID, phone, task_id, SMSGATE_REDIS_URL=gateway.redis_url)
    gateway.until_idle()

    assert (first.stdout.strip(), second.stdout.strip()) == (task_id, task_id)
    assert gateway.show(task_id) == known
    assert len(gateway.sandbox.messages(phone=phone)) == 1


_UNDER_AN_APP_OF_ITS_OWN = """
import sys
from celery import Celery, current_app
host = Celery("host", broker="memory://")
host.set_default()
from workers.tasks import send_sms
assert current_app.main == "host", current_app.main
print(send_sms.delay(sys.argv[1], "SMS_154950909", {"code": "135790"}, lane="otp").id)
assert host.conf.broker_url == "memory://"
"""


def test_a_program_with_a_celery_app_of_its_own_keeps_it(gateway: Gateway) -> None:
    settings = {"SMSGATE_REDIS_URL": gateway.redis_url, "CELERY_BROKER_URL": "memory://"}

    done = gateway.python(_UNDER_AN_APP_OF_ITS_OWN, fresh_phone(), **settings)

    assert done.returncode == 0, done.stderr
    gateway.until_state(done.stdout.strip(), "delivered")


_AWAY = """
import sys, time
from smsgate.errors import StoreUnavailable
from workers.tasks import send_sms
for options in ({}, {"soft_time_limit": 9}):
    began = time.monotonic()
    try:
        send_sms.apply_async((sys.argv[1], "SMS_154950909", {"code": "135790"}), **options)
    except StoreUnavailable as error:
        print(f"{time.monotonic() - began:.3f} {error}")
"""


def test_delay_without_redis_raises_within_seconds(resting: Gateway) -> None:
    done = resting.python(_AWAY, fresh_phone(), SMSGATE_REDIS_URL="redis://127.0.0.1:1/0")

    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert len(told) == 2, done
    for line in told:
        seconds, _, text = line.partition(" ")
        assert float(seconds) < 5
        assert "Redis" in text


def test_the_producers_side_loads_neither_the_sdk_nor_flask(resting: Gateway) -> None:
    heavy = "('alibabacloud_dysmsapi20170525', 'Tea', 'darabonba', 'flask', 'requests', 'aiohttp')"
    program = f"import sys, workers.tasks; print([name for name in {heavy} if name in sys.modules])"

    done = resting.python(program, SMSGATE_REDIS_URL=resting.redis_url)

    assert done.stdout.strip() == "[]", done
