"""`send_task("sms.send", …)` from a program that has none of our code."""

from typing import Any
from uuid import uuid4

import pytest
from celery import Celery

from smsgate.ledger.envelope import seal
from smsgate.queues import Queue, TaskName
from tests.integration.nodes.gateway import TEMPLATE, Gateway, fresh_phone, states
from tests.integration.nodes.until import until


def _send(app: Celery, args: list[Any], queue: str = "sms.otp", **kwargs: Any) -> str:
    return str(app.send_task("sms.send", args=args, kwargs=kwargs, queue=queue, task_id=str(uuid4())).id)


def test_a_task_sent_by_name_is_delivered_and_can_be_read_under_its_task_id(
    gateway: Gateway, foreign_app: Celery
) -> None:
    phone = fresh_phone()

    message_id = _send(foreign_app, [phone, TEMPLATE, {"code": "135790"}], lane="otp", reference="by name")

    known = gateway.until_state(message_id, "delivered")
    assert states(known) == ["queued", "sending", "sent", "delivered"]
    assert (known["lane"], known["reference"]) == ("otp", "by name")
    (sms,) = gateway.sandbox.messages(phone=phone)
    assert sms["out_id"] == message_id


def test_a_task_sent_by_name_twice_is_one_sms(gateway: Gateway, foreign_app: Celery) -> None:
    phone, task_id = fresh_phone(), str(uuid4())

    for _ in range(2):
        foreign_app.send_task("sms.send", [phone, TEMPLATE, {"code": "135790"}], queue="sms.otp", task_id=task_id)

    gateway.until_state(task_id, "delivered")
    gateway.until_idle()
    assert len(gateway.sandbox.messages(phone=phone)) == 1


@pytest.mark.parametrize(
    ("args", "kwargs", "field"),
    [
        (["12345", TEMPLATE, {"code": "135790"}], {}, "to"),
        ([13900000000, TEMPLATE, {"code": "135790"}], {}, "to"),
        (["13900000000", "no template!", {}], {}, "template"),
        (["13900000000", TEMPLATE, {"code": 135790}], {}, "params.code"),
        (["13900000000", TEMPLATE, "code=135790"], {}, "params"),
        (["13900000000", TEMPLATE, {"code": "135790"}], {"lane": "soon"}, "lane"),
        (["13900000000", TEMPLATE, {"code": "135790"}], {"valid_for": 0}, "valid_for"),
        ([None, None, None], {}, "to"),
    ],
)
def test_a_task_with_a_bad_argument_leaves_a_record_that_names_the_field(
    gateway: Gateway, foreign_app: Celery, args: list[Any], kwargs: dict[str, Any], field: str
) -> None:
    message_id = _send(foreign_app, args, **kwargs)

    known = gateway.until_state(message_id, "rejected")
    assert known["reason"] == "invalid_message"
    assert field in [error["field"] for error in known["timeline"][0]["errors"]]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ([], {}),
        (["13900000000"], {}),
        (["13900000000", TEMPLATE, {"code": "135790"}, "too many"], {}),
        (["13900000000", TEMPLATE, {"code": "135790"}], {"colour": "red"}),
    ],
)
def test_a_task_whose_arguments_do_not_fit_leaves_a_record_that_says_what_fits(
    gateway: Gateway, foreign_app: Celery, args: list[Any], kwargs: dict[str, Any]
) -> None:
    message_id = _send(foreign_app, args, **kwargs)

    known = gateway.until_state(message_id, "rejected")
    assert "template" in known["timeline"][0]["errors"][0]["message"]
    gateway.until_idle()


def test_a_task_sent_by_name_with_every_argument_named_is_delivered(gateway: Gateway, foreign_app: Celery) -> None:
    message_id = _send(foreign_app, [], to=fresh_phone(), template=TEMPLATE, params={"code": "135790"})

    gateway.until_state(message_id, "delivered")


def test_a_task_whose_id_no_receipt_could_bring_back_is_rejected_and_not_sent(
    gateway: Gateway, foreign_app: Celery
) -> None:
    phone, task_id = fresh_phone(), f"order:{uuid4()}"

    foreign_app.send_task("sms.send", [phone, TEMPLATE, {"code": "135790"}], queue="sms.otp", task_id=task_id)

    until(lambda: gateway.redis.exists(f"sms:msg:{task_id}"), "the task has a record")
    gateway.until_idle()
    assert gateway.sandbox.messages(phone=phone) == []
    assert gateway.redis.hget(f"sms:msg:{task_id}", "state") == "rejected"


@pytest.mark.parametrize(
    ("args", "kwargs"), [(["13800138000", "T"], ["lane"]), ("13800138000", {}), (5, {}), (None, None), ({}, "x")]
)
def test_arguments_of_the_wrong_shape_do_not_end_the_worker(gateway: Gateway, args: Any, kwargs: Any) -> None:
    """Celery itself lets no program send such a task; a client of another kind may."""
    gateway.redis.lpush(Queue.OTP, seal(TaskName.SEND, str(uuid4()), Queue.OTP, args, kwargs))

    gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()
