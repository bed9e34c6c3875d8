import json
import time
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgate.errors import InvalidMessage
from smsgate.flow.submit import arguments, draft, fingerprint, new_id, task
from smsgate.message import Lane, Message, MessageId
from smsgate.queues import LANE_QUEUES
from smsgate.states import State

SOME = settings(max_examples=150, deadline=None)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NAME = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20)
MESSAGES = st.builds(
    lambda fields: Message.check({name: value for name, value in fields.items() if value is not None}),
    st.fixed_dictionaries(
        {
            "to": st.sampled_from(["13800138000", "+85251234567", "+14155552671"]),
            "template": st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True),
            "params": st.dictionaries(st.from_regex(r"[a-z_0-9]{1,8}", fullmatch=True), TEXT, max_size=4),
            "sign": st.none() | NAME,
            "lane": st.none() | st.sampled_from([lane.value for lane in Lane]),
            "valid_for": st.none() | st.integers(min_value=1, max_value=600_000),
            "reference": st.none() | NAME,
        }
    ),
)


@SOME
@given(message=MESSAGES)
def test_a_tasks_arguments_make_the_same_message_again(message: Message) -> None:
    args, kwargs = json.loads(json.dumps(arguments(message)))
    again = Message.check({**dict(zip(("to", "template", "params"), args, strict=True)), **kwargs})
    assert again == message
    assert fingerprint(again) == fingerprint(message)


def test_what_is_not_given_is_left_out_of_the_arguments() -> None:
    """A worker of the version before must not stumble over a field that nobody uses."""
    assert arguments(Message.check({"to": "13800138000", "template": "T"})) == (["+8613800138000", "T", {}], {})


@SOME
@given(message=MESSAGES)
def test_the_task_holds_the_arguments_and_shows_none_of_them(message: Message) -> None:
    sealed = json.loads(task(MessageId("m1"), message))
    args, kwargs, _ = json.loads(b64decode(sealed["body"]))
    assert (args, kwargs) == arguments(message)
    assert sealed["headers"]["id"] == sealed["properties"]["correlation_id"] == "m1"
    assert sealed["properties"]["delivery_info"]["routing_key"] == LANE_QUEUES[message.lane]
    shown = json.dumps([sealed["headers"], sealed["properties"]])
    assert message.to.national not in shown


@pytest.mark.parametrize(
    "other",
    [
        {"to": "+86 138-0013-8000"},
        {"to": "0086 138 0013 8000"},
        {"params": {"b": "2", "a": "1"}},
        {"lane": "notice"},
        {"lane": Lane.NOTICE},
        {"on_uncertain": "hold"},
        {"sign": None},
        {"valid_for": None, "reference": None},
    ],
)
def test_the_same_message_written_otherwise_has_the_same_fingerprint(other: dict[str, Any]) -> None:
    message = {"to": "13800138000", "template": "T", "params": {"a": "1", "b": "2"}}
    assert fingerprint(Message.check({**message, **other})) == fingerprint(Message.check(message))


@pytest.mark.parametrize(
    "other",
    [
        {"to": "13900139000"},
        {"template": "U"},
        {"params": {"a": "1"}},
        {"params": {"a": "2", "b": "1"}},
        {"sign": "s"},
        {"lane": "otp"},
        {"valid_for": 5},
        {"reference": "r"},
    ],
)
def test_another_message_has_another_fingerprint(other: dict[str, Any]) -> None:
    message = {"to": "13800138000", "template": "T", "params": {"a": "1", "b": "2"}}
    assert fingerprint(Message.check({**message, **other})) != fingerprint(Message.check(message))


def test_ids_are_unique_and_sort_by_time() -> None:
    ids = []
    for _ in range(5):
        ids += [new_id() for _ in range(100)]
        time.sleep(0.002)
    assert len(set(ids)) == len(ids)
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)


@pytest.mark.parametrize("wanted", ["m1", "A_b-9", "x" * 64, "0190c0de-0000-7000-8000-000000000000"])
def test_a_caller_may_bring_an_id(wanted: str) -> None:
    assert new_id(wanted) == wanted


@pytest.mark.parametrize("wanted", ["", " ", "a b", "x" * 65, "m1\n", "é", "١٢", "a:b", "a/b", "\ud800"])
def test_an_id_that_a_provider_would_not_hand_back_is_refused(wanted: str) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        new_id(wanted)
    assert [error.field for error in refusal.value.errors] == ["task_id"]


def test_a_draft_is_queued_and_valid_from_its_acceptance_on() -> None:
    record = draft(
        Message.check({"to": "13800138000", "template": "T", "valid_for": 7}), MessageId("m"), client="shop", at=1_000
    )
    assert (record.state, record.accepted_at, record.valid_until, record.attempts) == (State.QUEUED, 1_000, 8_000, 0)
    assert [(event.at, event.state) for event in record.timeline] == [(1_000, State.QUEUED)]
