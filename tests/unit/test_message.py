import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from smsgate.errors import InvalidMessage
from smsgate.message import LONGEST_VALIDITY, MOST_PARAMS, VALID_FOR, Lane, Message
from smsgate.phone import Phone

GOOD: dict[str, Any] = {"to": "13800138000", "template": "SMS_154950909", "params": {"code": "123456"}}
SECRET = "9876543210123"
SOME = settings(max_examples=150, deadline=None)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*Message.model_fields, "countdown", "", "to "])


@SOME
@given(given_fields=st.dictionaries(FIELDS, JSON, max_size=9), whole=st.booleans())
def test_any_json_object_is_a_message_or_is_refused_with_every_field_named(
    given_fields: dict[str, Any], whole: bool
) -> None:
    result = _checked({**GOOD, **given_fields} if whole else given_fields)
    match result:
        case Message():
            assert isinstance(result.to, Phone)
        case InvalidMessage():
            assert result.errors
            assert all(error.field and error.message for error in result.errors)
            str(result).encode()  # a lone surrogate in a name does not reach the answer


def _checked(fields: dict[str, Any]) -> Message | InvalidMessage:
    try:
        return Message.check(fields)
    except InvalidMessage as refusal:
        return refusal


@SOME
@given(wrong=st.sampled_from([*Message.model_fields]), wrap=st.sampled_from(["text", "list", "object", "number"]))
def test_a_refusal_never_repeats_a_value(wrong: str, wrap: str) -> None:
    bad = {"text": f"\x00{SECRET}\x00", "list": [SECRET], "object": {"inner": [SECRET]}, "number": int(SECRET)}[wrap]
    with pytest.raises(InvalidMessage) as refusal:
        Message.check({**GOOD, "to": "13900139000", "params": {"code": "24681357"}, wrong: bad})
    for shown in (str(refusal.value), repr(refusal.value)):
        assert SECRET not in shown
        assert "13900139000" not in shown
        assert "24681357" not in shown
    # Nor does what a traceback would show beside it.
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def _refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidMessage) as refusal:
        Message.check({**GOOD, **fields})
    return {error.field: error.message for error in refusal.value.errors}


def test_every_field_that_breaks_a_rule_is_named_at_once() -> None:
    assert _refused(to="1", template="", lane="fast", valid_for=0).keys() == {"to", "template", "lane", "valid_for"}


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidMessage) as refusal:
        Message.check({})
    assert {error.field: error.message for error in refusal.value.errors} == {
        "to": "is required",
        "template": "is required",
    }


@pytest.mark.parametrize("fields", [None, [], "text", 5, [GOOD]])
def test_what_is_no_object_is_refused(fields: Any) -> None:
    with pytest.raises(InvalidMessage):
        Message.check(fields)


@pytest.mark.parametrize("to", [13800138000, None, True, ["13800138000"], b"13800138000"])
def test_a_number_that_is_no_string_is_refused_with_the_fix(to: Any) -> None:
    assert "string" in _refused(to=to)["to"]


@pytest.mark.parametrize("template", ["", "a b", "SMS_1\n", "x" * 65, "模板", "{template}"])
def test_a_template_code_has_letters_digits_and_few_signs(template: str) -> None:
    assert "SMS_154950909" in _refused(template=template)["template"]


def test_a_field_that_is_unknown_is_refused_with_those_that_are_known() -> None:
    assert "template" in _refused(countdown=5)["countdown"]


def test_a_variable_is_text() -> None:
    assert _refused(params={"code": 123456}) == {"params.code": "must be a string; write the value in quotes"}


def test_params_are_an_object() -> None:
    assert '{"code": "123456"}' in _refused(params="code=123456")["params"]


@pytest.mark.parametrize("name", ["", "a b", "a-b", "x" * 65, "${code}"])
def test_a_variables_name_has_letters_digits_and_underscores(name: str) -> None:
    assert "letters" in _refused(params={name: "1"})[f"params.{name}"]


@pytest.mark.parametrize("name", ["code", "验证码", "x" * 64, "_1"])
def test_a_variables_name_may_be_chinese(name: str) -> None:
    assert Message.check({**GOOD, "params": {name: "1"}}).params == {name: "1"}


def test_a_variables_value_is_bounded_and_has_no_nul() -> None:
    assert "500" in _refused(params={"code": "x" * 501})["params.code"]
    assert "NUL" in _refused(params={"code": "a\x00b"})["params.code"]


def test_a_lone_surrogate_is_refused_with_the_fix() -> None:
    assert "UTF-8" in _refused(params={"code": "\ud800"})["params.code"]


def test_variables_are_at_most_as_many_as_a_template_can_have() -> None:
    Message.check({**GOOD, "params": {f"v{n}": "" for n in range(MOST_PARAMS)}})
    assert str(MOST_PARAMS) in _refused(params={f"v{n}": "" for n in range(MOST_PARAMS + 1)})["params"]


@pytest.mark.parametrize(("field", "longest"), [("sign", 64), ("reference", 128)])
def test_a_name_is_not_empty_not_too_long_and_printable(field: str, longest: int) -> None:
    assert Message.check({**GOOD, field: "阿" * longest})
    assert "empty" in _refused(**{field: ""})[field]
    assert str(longest) in _refused(**{field: "阿" * (longest + 1)})[field]
    assert "control character" in _refused(**{field: "a\nb"})[field]
    assert "control character" in _refused(**{field: "a\n"})[field]


@pytest.mark.parametrize("lane", ["", "fast", "OTP", 1, None, [], {}])
def test_a_lane_is_one_of_three(lane: Any) -> None:
    assert "'otp', 'notice' or 'bulk'" in _refused(lane=lane)["lane"]


@pytest.mark.parametrize("valid_for", [0, -1, LONGEST_VALIDITY + 1, "300", 300.5, True, float("nan"), 10**30])
def test_validity_is_a_whole_number_of_seconds_within_a_week(valid_for: Any) -> None:
    assert _refused(valid_for=valid_for).keys() == {"valid_for"}


@pytest.mark.parametrize("lane", list(Lane))
def test_a_message_that_does_not_say_is_valid_for_as_long_as_its_lane_allows(lane: Lane) -> None:
    assert Message.check({**GOOD, "lane": lane.value}).seconds_valid == VALID_FOR[lane]
    assert Message.check({**GOOD, "lane": lane.value, "valid_for": 7}).seconds_valid == 7


def test_an_unknown_policy_for_uncertainty_is_refused() -> None:
    assert "'hold'" in _refused(on_uncertain="guess")["on_uncertain"]


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Message.check(GOOD).to = Phone("+8613900139000")


def test_the_repr_of_a_message_shows_neither_number_nor_params_nor_reference() -> None:
    message = Message.check({**GOOD, "reference": "13800138000"})
    for shown in (repr(message), str(message), f"{[message]}"):
        assert "13800138000" not in shown
        assert "123456" not in shown
        assert "+86138****8000" in shown


def test_a_message_reads_the_same_after_json() -> None:
    message = Message.check({**GOOD, "lane": "otp", "sign": "阿里云", "valid_for": 60, "reference": "r"})
    assert Message.check(json.loads(message.model_dump_json())) == message
