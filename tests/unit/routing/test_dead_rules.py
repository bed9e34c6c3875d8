from typing import Any

import pytest

from smsgate.message import Lane
from smsgate.routing.dead_rules import Gravity, problems
from smsgate.routing.profile import Profile
from smsgate.routing.table import Rule, Table

MAIN = Profile(name="main")


def table(*rules: dict[str, Any], profiles: tuple[Profile, ...] = (MAIN,)) -> Table:
    return Table([Rule.model_validate({"channels": ["main"], **rule}) for rule in rules], profiles)


def texts(table: Table) -> list[str]:
    return [str(problem) for problem in problems(table)]


def test_a_sound_table_has_no_problem() -> None:
    assert texts(table()) == []
    assert texts(table({"lane": "otp"}, {"country": "CN"}, {"template": "SMS_*"}, {})) == []


def test_a_channel_that_is_not_declared_is_named_with_those_that_are() -> None:
    assert texts(table({"channels": ["main", "mian"]})) == [
        "error: routes, rule 1: names channel mian, which is not declared; declare [channels.mian] or name one of: main"
    ]


@pytest.mark.parametrize(
    ("earlier", "later", "takers"),
    [
        ([{}], {"lane": "otp"}, "rule 1 before it takes"),
        ([{}], {}, "rule 1 before it takes"),
        ([{"lane": "otp"}], {"lane": ["otp"], "country": "CN"}, "rule 1 before it takes"),
        ([{"lane": ["otp", "notice"]}, {"lane": "bulk"}], {}, "rules 1, 2 before it take"),
        (
            [{"lane": "otp"}, {"country": "CN"}, {"country": "HK"}],
            {"country": ["CN", "HK"]},
            "rules 1, 2, 3 before it take",
        ),
        ([{"template": "*"}], {"client": "shop"}, "rule 1 before it takes"),
        ([{"template": "SMS_*"}], {"template": "SMS_1*"}, "rule 1 before it takes"),
        ([{"template": ["SMS_1", "SMS_2"]}], {"template": "SMS_2"}, "rule 1 before it takes"),
        ([{"template": "SMS_[12]"}], {"template": "SMS_2"}, "rule 1 before it takes"),
        (
            [{"lane": "otp", "client": "shop"}, {"lane": "otp"}],
            {"lane": "otp", "client": "shop"},
            "rule 1 before it takes",
        ),
    ],
)
def test_a_rule_that_others_leave_nothing_to_is_an_error(
    earlier: list[dict[str, Any]], later: dict[str, Any], takers: str
) -> None:
    number = len(earlier) + 1
    assert (
        f"error: routes, rule {number}: can never fit: {takers} all that it would; move it up, or remove it"
    ) in texts(table(*earlier, later))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([{"lane": ["otp", "notice"]}], {}),
        ([{"country": "CN"}], {"country": ["CN", "HK"]}),
        ([{"carrier": ["mobile", "unicom", "telecom", "broadnet"]}], {}),
        ([{"template": "SMS_?"}], {"template": "SMS_*"}),
        ([{"template": "SMS_?_A"}], {"template": "SMS_*_A"}),
        ([{"template": "SMS_[!a]"}], {"template": "SMS_?"}),
        ([{"client": "shop"}, {"lane": "otp"}], {"lane": "bulk", "client": ["shop", "bank"]}),
    ],
)
def test_a_rule_that_has_something_left_is_none(earlier: list[dict[str, Any]], later: dict[str, Any]) -> None:
    assert not [text for text in texts(table(*earlier, later)) if "never fit" in text]


def test_a_lane_that_no_channel_carries_is_an_error() -> None:
    codes = Profile(name="main", lanes=frozenset({Lane.OTP, Lane.NOTICE}))
    assert texts(table(profiles=(codes,))) == [
        'error: channels: no channel carries lane bulk: its messages cannot leave; add "bulk" to the lanes of one'
    ]


def test_a_rule_whose_channels_cannot_carry_what_it_asks_for_is_an_error() -> None:
    codes = Profile(name="codes", lanes=frozenset({Lane.OTP}), countries=frozenset({"CN"}))
    found = texts(table({"lane": ["otp", "bulk"], "country": "HK", "channels": "codes"}, {}, profiles=(MAIN, codes)))
    assert found == [
        (
            "error: routes, rule 1: none of its channels carries lane bulk; "
            'add "bulk" to the lanes of one, or name another'
        ),
        'error: routes, rule 1: none of its channels goes to HK; add "HK" to the countries of one',
    ]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"lane": "otp"}, "only what no rule fits uses it"),
        ({}, "and a rule takes every message, so that it is never used"),
    ],
)
def test_a_channel_in_no_rule_is_a_warning(rule: dict[str, Any], told: str) -> None:
    (problem,) = problems(table(rule, profiles=(MAIN, Profile(name="spare"))))
    assert problem.gravity is Gravity.WARNING
    assert str(problem) == f"warning: channels.spare: is in no rule, {told}; name it in a rule, or remove it"
