from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from smsgate.message import Lane
from smsgate.phone import Phone
from smsgate.routing.carriers import Carrier
from smsgate.routing.profile import Profile, TemplateThere
from smsgate.routing.table import MOST_REMEMBERED, Rule, Strategy, Table
from smsgate.routing.traits import Traits

CODE = Traits(Lane.OTP, "SMS_1", Phone("+8613800138000"), "CN", Carrier.MOBILE, "shop")
MAIN, BACKUP = Profile(name="main"), Profile(name="backup")
BULKY = Profile(name="bulky", lanes=frozenset({Lane.BULK}))


def rule(**fields: Any) -> Rule:
    return Rule.model_validate({"channels": ["main"], **fields})


def names(table: Table, traits: Traits) -> list[str]:
    return [profile.name for profile in table.candidates(traits)]


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({}, True),
        ({"lane": "otp"}, True),
        ({"lane": ["notice", "bulk"]}, False),
        ({"country": ["CN", "HK"]}, True),
        ({"country": "HK"}, False),
        ({"carrier": "mobile"}, True),
        ({"carrier": ["unicom"]}, False),
        ({"client": "shop"}, True),
        ({"client": "bank"}, False),
        ({"template": "SMS_*"}, True),
        ({"template": ["TX_*", "SMS_?"]}, True),
        ({"template": "sms_*"}, False),
        ({"lane": "otp", "client": "bank"}, False),
    ],
)
def test_a_rule_fits_what_meets_all_its_conditions(condition: dict[str, Any], fits: bool) -> None:
    assert rule(**condition).fits(CODE) is fits


def test_the_first_rule_that_fits_decides() -> None:
    table = Table([rule(lane="bulk"), rule(channels="backup"), rule()], [MAIN, BACKUP])
    assert table.rule_for(CODE) is table.rules[1]
    assert names(table, CODE) == ["backup"]


def test_what_no_rule_fits_leaves_by_any_channel_by_weight() -> None:
    table = Table([rule(lane="bulk")], [MAIN, BACKUP])
    assert table.rule_for(CODE) is table.last
    assert table.last.strategy is Strategy.WEIGHTED
    assert names(table, CODE) == ["main", "backup"]


def test_a_channel_that_cannot_carry_a_message_is_no_candidate() -> None:
    mapped = Profile(name="mapped", templates={"SMS_2": TemplateThere(code="1")})
    signed = Profile(name="signed", signs={"Bank": "Bank"})
    table = Table([], [BULKY, MAIN, mapped, signed])
    assert names(table, CODE) == ["main", "signed"]
    assert names(table, replace(CODE, template="SMS_2", sign="Shop")) == ["main", "mapped"]


def test_answers_that_are_remembered_are_told_apart_by_all_that_rules_ask() -> None:
    table = Table([rule(client="shop"), rule(template="TX_*", channels="backup")], [MAIN, BACKUP])
    assert names(table, CODE) == ["main"]
    assert names(table, replace(CODE, client="bank", template="TX_1")) == ["backup"]
    assert names(table, replace(CODE, client="bank")) == ["main", "backup"]
    assert names(table, CODE) == ["main"]


def test_a_table_does_not_grow_with_what_callers_write() -> None:
    table = Table([rule(template="SMS_*")], [MAIN])
    for number in range(MOST_REMEMBERED + 10):
        table.rule_for(replace(CODE, template=f"SMS_{number}"))
    assert len(table._remembered) <= MOST_REMEMBERED  # noqa: SLF001 - it shows nowhere else


@pytest.mark.parametrize(
    "fields", [{"lane": []}, {"channels": []}, {"country": "china"}, {"carrier": "bell"}, {"chanels": ["main"]}]
)
def test_a_slip_in_a_rule_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**fields)
