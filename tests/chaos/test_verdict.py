"""The harness finds every broken promise: a proof that cannot fail proves nothing."""

from typing import Any

import pytest

from tests.chaos.verdict import Seen, judge

ID, NUMBER = "01a20a7c-e905-75d3-9d7e-0461eca33e41", "13900000001"


def _report(*states: str) -> dict[str, Any]:
    timeline = [{"state": state} for state in states]
    return {"id": ID, "state": states[-1], "accepted_at": "2026-01-01T19:04:00.500Z", "timeline": timeline}


def _sms(out_id: str = ID) -> dict[str, str]:
    return {"out_id": out_id, "accepted_at": "2026-01-02 03:04:05"}


def _promises(report: dict[str, Any] | None, *sms: dict[str, str]) -> list[str]:
    seen = Seen([NUMBER], {NUMBER: ID}, {ID: report}, {NUMBER: sms} if sms else {})
    return [offence.promise for offence in judge(seen).offences]


@pytest.mark.parametrize("state", ["delivered", "undelivered"])
def test_a_message_that_went_out_once_and_has_its_receipt_breaks_no_promise(state: str) -> None:
    assert _promises(_report("queued", "sending", "sent", state), _sms()) == []


@pytest.mark.parametrize("state", ["failed", "rejected", "expired", "cancelled", "dead"])
def test_a_message_that_ended_with_a_reason_and_never_went_out_breaks_no_promise(state: str) -> None:
    assert _promises(_report("queued", state)) == []


@pytest.mark.parametrize("state", ["queued", "sending"])
def test_a_message_that_is_still_on_its_way_is_lost(state: str) -> None:
    assert _promises(_report(state)) == ["lost"]
    assert _promises(_report(state), _sms()) == ["lost"]


def test_a_message_without_a_record_is_lost_even_when_it_went_out() -> None:
    assert _promises(None) == ["lost"]
    assert _promises(None, _sms()) == ["lost"]


def test_an_uncertain_message_is_lost_when_it_never_went_out_and_unfinished_when_it_did() -> None:
    assert _promises(_report("uncertain")) == ["lost"]
    assert _promises(_report("uncertain"), _sms()) == ["unfinished"]


def test_a_sent_message_whose_receipt_never_comes_is_unfinished() -> None:
    assert _promises(_report("sent"), _sms()) == ["unfinished"]


@pytest.mark.parametrize("state", ["sent", "delivered", "undelivered"])
def test_a_message_that_is_said_to_be_at_the_provider_and_is_not_is_false(state: str) -> None:
    assert _promises(_report(state)) == ["false"]


@pytest.mark.parametrize("state", ["failed", "rejected", "expired", "cancelled", "dead"])
def test_a_message_that_is_said_not_to_have_gone_out_and_did_is_false(state: str) -> None:
    assert _promises(_report(state), _sms()) == ["false"]


def test_every_sms_beyond_the_first_is_counted() -> None:
    seen = Seen([NUMBER], {NUMBER: ID}, {ID: _report("delivered")}, {NUMBER: [_sms(), _sms(), _sms()]})
    verdict = judge(seen)
    assert [offence.promise for offence in verdict.offences] == ["twice"]
    assert verdict.extra == 2


def test_a_repeated_request_that_became_a_second_message_is_counted_as_sent_twice() -> None:
    assert _promises(_report("delivered"), _sms(), _sms("01a20a7c-0000-7000-8000-000000000000")) == ["twice"]


def test_a_number_that_got_the_sms_of_another_id_does_not_count_for_this_one() -> None:
    assert _promises(_report("delivered"), _sms("01a20a7c-0000-7000-8000-000000000000")) == ["false"]


def test_a_message_that_was_never_accepted_is_told_and_may_still_be_sent_twice() -> None:
    verdict = judge(Seen([NUMBER], {}, {}, {NUMBER: [_sms(), _sms()]}))
    assert [offence.promise for offence in verdict.offences] == ["unaccepted", "twice"]
    assert not verdict.kept


def test_a_run_that_accepted_nothing_proves_nothing() -> None:
    assert not judge(Seen([], {}, {}, {})).kept


def test_where_nothing_should_cause_doubt_a_message_that_was_ever_uncertain_is_told() -> None:
    seen = Seen([NUMBER], {NUMBER: ID}, {ID: _report("uncertain", "delivered")}, {NUMBER: [_sms()]})
    assert judge(seen).kept
    assert judge(seen).once_uncertain == 1
    assert [offence.promise for offence in judge(seen, no_doubt=True).offences] == ["doubt"]


def test_a_message_that_went_out_in_a_chunk_is_known_by_the_chunks_name() -> None:
    report = _report("queued", "sending", "sent", "delivered")
    report["timeline"][1]["chunk"] = "c1"
    assert _promises(report, _sms("c1")) == []
    assert _promises(report, _sms("c2")) == ["false"]


def test_the_longest_wait_is_that_from_accepted_to_the_first_sms() -> None:
    seen = Seen([NUMBER], {NUMBER: ID}, {ID: _report("delivered")}, {NUMBER: [_sms(), _sms()]})
    assert judge(seen).longest.seconds == 4.5
