"""Templates render what they are given and refuse what the provider would not carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgate.sandbox.answers import Code, Rejection
from smsgate.sandbox.catalogue import (
    Audit,
    Catalogue,
    Kind,
    Scene,
    Sign,
    Template,
    require_pair,
    values_of,
)

OTP = Template(code="SMS_1", content="code ${code}!", kind=Kind.OTP)
NOTICE = Template(code="SMS_2", content="${a}, order ${b} of ${a}")


def test_every_variable_is_filled_in_wherever_it_stands() -> None:
    assert NOTICE.render({"a": "Li", "b": "7", "c": "ignored"}) == "Li, order 7 of Li"
    assert Template(code="SMS_3", content="no variables").render({}) == "no variables"


@given(st.text(max_size=35).filter(lambda text: "://" not in text and "www." not in text.lower()))
def test_a_value_is_never_taken_for_a_template(value: str) -> None:
    assert NOTICE.render({"a": value, "b": "${a}"}) == f"{value}, order ${{a}} of {value}"


@pytest.mark.parametrize(
    ("template", "values", "code"),
    [
        (OTP, {}, Code.TEMPLATE_MISSING_PARAMETERS),
        (OTP, {"code": "123"}, Code.TEMPLATE_PARAMS_ILLEGAL),
        (OTP, {"code": "1234567"}, Code.TEMPLATE_PARAMS_ILLEGAL),
        (OTP, {"code": "一二三四"}, Code.TEMPLATE_PARAMS_ILLEGAL),
        (NOTICE, {"a": "x" * 36, "b": ""}, Code.PARAM_LENGTH_LIMIT),
        (NOTICE, {"a": "HTTPS://example.com", "b": ""}, Code.PARAM_NOT_SUPPORT_URL),
    ],
)
def test_a_value_that_would_not_be_carried_is_refused(template: Template, values: dict[str, str], code: Code) -> None:
    with pytest.raises(Rejection) as refusal:
        template.render(values)
    assert refusal.value.code == code


@pytest.mark.parametrize("written", ["{", "[]", '"x"', "null", '{"code": 1234}', '{"code": null}', "[" * 100_000])
def test_parameters_that_are_no_object_of_strings_are_refused(written: str) -> None:
    with pytest.raises(Rejection, match=r"isv\.INVALID_JSON_PARAM"):
        values_of(written)


@pytest.mark.parametrize(
    ("sign", "template", "code"),
    [
        (Sign(name="o", scene=Scene.OTP), NOTICE, Code.SMS_SIGNATURE_SCENE_ILLEGAL),
        (Sign(name="t", scene=Scene.TEST), NOTICE, Code.SMS_TEST_SIGN_TEMPLATE_LIMIT),
        (Sign(name="g"), NOTICE.model_copy(update={"test": True}), Code.SMS_TEST_SIGN_TEMPLATE_LIMIT),
    ],
)
def test_a_sign_that_may_not_carry_a_template_is_refused(sign: Sign, template: Template, code: Code) -> None:
    with pytest.raises(Rejection) as refusal:
        require_pair(sign, template)
    assert refusal.value.code == code


def test_a_sign_goes_with_the_templates_of_its_scene() -> None:
    require_pair(Sign(name="o", scene=Scene.OTP), OTP)
    require_pair(Sign(name="g"), NOTICE)
    require_pair(Sign(name="t", scene=Scene.TEST), OTP.model_copy(update={"test": True}))


def test_what_is_unknown_or_not_approved_is_refused() -> None:
    rejected = NOTICE.model_copy(update={"status": Audit.REJECTED})
    catalogue = Catalogue({"s": Sign(name="s", status=Audit.PENDING)}, {rejected.code: rejected})
    with pytest.raises(Rejection, match=r"isv\.SIGN_STATE_ILLEGAL"):
        catalogue.sign("s")
    with pytest.raises(Rejection, match=r"isv\.SMS_SIGNATURE_ILLEGAL"):
        catalogue.sign("x")
    for code in (rejected.code, "SMS_unknown"):
        with pytest.raises(Rejection, match=r"isv\.SMS_TEMPLATE_ILLEGAL"):
            catalogue.template(code)
