import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsgate.masking import shown_arguments

NUMBER = "13800138000"
CODE = "98765432"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
SECRET = st.sampled_from(
    [
        NUMBER,
        f"+86{NUMBER}",
        f"86{NUMBER}",
        int(NUMBER),
        {"code": CODE},
        {"code": [CODE]},
        [CODE, NUMBER],
        CODE.encode(),
    ]
)
NAMES = st.sampled_from(["to", "params", "sign", "reference", "valid_for", "number", "phone", ""])
SOME = settings(max_examples=200, deadline=None)


@SOME
@given(args=st.lists(ANYTHING, max_size=5), kwargs=st.dictionaries(st.text(max_size=8), ANYTHING, max_size=5))
def test_any_arguments_can_be_shown(args: list[Any], kwargs: dict[str, Any]) -> None:
    shown_args, shown_kwargs = shown_arguments(args, kwargs)
    assert shown_args.startswith("(")
    assert shown_kwargs.startswith("{")


@SOME
@given(to=SECRET, params=SECRET, rest=st.lists(SECRET, max_size=2), kwargs=st.dictionaries(NAMES, SECRET, max_size=5))
def test_no_number_and_no_parameter_is_shown_wherever_it_stands(
    to: Any, params: Any, rest: list[Any], kwargs: dict[str, Any]
) -> None:
    shown = " ".join(shown_arguments([to, "SMS_154950909", params, *rest], kwargs))
    assert NUMBER not in shown
    assert CODE not in shown


@SOME
@given(gap=st.sampled_from([" ", "-", "  "]), prefix=st.sampled_from(["", "+86", "0086"]))
@example(gap="", prefix="")
def test_a_number_written_with_gaps_is_masked_as_well(gap: str, prefix: str) -> None:
    shown, _ = shown_arguments([prefix + gap.join(("138", "0013", "8000"))], {})
    assert NUMBER not in re.sub(r"\D", "", shown)
    assert shown.count("*") >= 4


def test_arguments_are_shown_as_an_operator_needs_them() -> None:
    shown = shown_arguments(
        ["13800138000", "SMS_154950909", {"code": "123456", "app": "x"}], {"lane": "otp", "reference": "order 1"}
    )
    assert shown == ("('138****8000', 'SMS_154950909', {app, code})", "{'lane': 'otp', 'reference': <str>}")


@pytest.mark.parametrize("place", ["template", "lane"])
def test_a_number_in_the_wrong_place_is_not_shown(place: str) -> None:
    """Another program may have swapped its arguments."""
    assert NUMBER not in shown_arguments([NUMBER, f"+86{NUMBER}"], {place: NUMBER})[0]
    assert NUMBER not in shown_arguments([], {place: NUMBER})[1]


@SOME
@given(args=ANYTHING, kwargs=ANYTHING)
def test_not_even_arguments_of_the_wrong_shape_raise(args: Any, kwargs: Any) -> None:
    """A worker shows them before it looks at them: an error here would end it."""
    assert all(isinstance(shown, str) for shown in shown_arguments(args, kwargs))
