import json
from dataclasses import replace
from typing import Any

import pytest

from smsgate.flow.report import moment, report
from smsgate.flow.submit import draft
from smsgate.ledger.records import Event, Record
from smsgate.message import Message, MessageId
from smsgate.states import RESTING, State

AT = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def _record(**changes: Any) -> Record:
    fields = {"to": "13800138000", "template": "T", "params": {"code": "987654"}, "reference": "order 1"}
    return replace(draft(Message.check(fields), MessageId("m1"), client="shop", at=AT), **changes)


def test_a_report_masks_the_number_and_leaves_the_params_out() -> None:
    told = json.dumps(report(_record()))
    assert "+86138****8000" in told
    assert "13800138000" not in told
    assert "987654" not in told


def test_a_report_tells_times_in_utc() -> None:
    told = report(_record())
    assert told["accepted_at"] == told["timeline"][0]["at"] == "2026-01-01T00:00:00.000Z"
    assert told["valid_until"] == "2026-01-02T00:00:00.000Z"


@pytest.mark.parametrize("state", list(State))
def test_a_report_says_whether_anything_more_will_happen(state: State) -> None:
    assert report(_record(state=state))["final"] is (state in RESTING)


def test_what_is_not_known_is_left_out() -> None:
    told = report(_record())
    assert None not in told.values()
    assert told.keys().isdisjoint({"reason", "channel", "provider_id", "sign"})


def test_a_task_that_carried_no_message_is_told_without_one() -> None:
    told = report(_record(message=None, state=State.REJECTED, reason="invalid_message"))
    assert told["reason"] == "invalid_message"
    assert "to" not in told


def test_an_events_detail_is_told_with_the_time_of_the_report_readable() -> None:
    event = Event(AT + 1, State.DELIVERED, {"reported_at": AT, "segments": 2, "code": "DELIVERED"})
    assert report(_record(timeline=(event,)))["timeline"] == [
        {
            "at": "2026-01-01T00:00:00.001Z",
            "state": "delivered",
            "reported_at": "2026-01-01T00:00:00.000Z",
            "segments": 2,
            "code": "DELIVERED",
        }
    ]


def test_a_moment_keeps_its_milliseconds() -> None:
    assert moment(AT + 7) == "2026-01-01T00:00:00.007Z"


def test_a_time_that_lies_ahead_is_told_until_it_has_come() -> None:
    fields = {"to": "13800138000", "template": "T", "send_at": "2026-01-01T08:00:05+08:00"}
    record = draft(Message.check(fields), MessageId("m1"), client="", at=AT)
    ahead = {"send_at": "2026-01-01T00:00:05.000Z", "not_before": "2026-01-01T00:00:05.000Z"}
    told = report(record, now=AT)
    assert {name: told.get(name) for name in ahead} == ahead
    assert told["timeline"][0]["send_at"] == ahead["send_at"]
    assert ahead.keys().isdisjoint(report(record, now=AT + 5000))
    assert ahead.keys().isdisjoint(report(replace(record, state=State.CANCELLED), now=AT))


def test_a_wait_for_the_next_attempt_is_told_without_a_time_that_has_passed() -> None:
    told = report(_record(not_before=AT + 90_000), now=AT)
    assert told["not_before"] == "2026-01-01T00:01:30.000Z"
    assert "send_at" not in told


def test_of_a_callback_url_only_the_host_is_told() -> None:
    fields = {"to": "13800138000", "template": "T", "callback_url": "https://Hooks.example.com:8443/secret?key=1"}
    told = report(draft(Message.check(fields), MessageId("m1"), client="", at=AT))
    assert told["callback_host"] == "hooks.example.com"
    assert "secret" not in json.dumps(told)


def test_what_to_do_when_uncertain_is_told_where_it_is_unusual() -> None:
    fields = {"to": "13800138000", "template": "T", "on_uncertain": "resend"}
    assert report(draft(Message.check(fields), MessageId("m1"), client="", at=AT))["on_uncertain"] == "resend"
    assert "on_uncertain" not in report(_record())
