import re
import string

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsgate.errors import InvalidMessage
from smsgate.phone import LONGEST_WRITTEN, Phone, mask, parse

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# The mainland's mobile numbers, by the numbering plan itself.
_PLAN = phonenumbers.PhoneMetadata.metadata_for_region("CN").mobile.national_number_pattern
MAINLAND = st.from_regex(re.compile(_PLAN, re.ASCII), fullmatch=True)
PREFIXES = ["", "86", "0086", "+86", "86 ", "86-", "0086 ", "0086-", "+86 ", "+86-", " +86 ", "(+86)"]
SEPARATORS = ["", " ", "-"]

SOME = settings(max_examples=200, deadline=None)


@SOME
@given(number=MAINLAND, prefix=st.sampled_from(PREFIXES), gap=st.sampled_from(SEPARATORS))
def test_a_mainland_mobile_is_the_same_phone_however_it_is_written(number: str, prefix: str, gap: str) -> None:
    written = prefix + gap.join((number[:3], number[3:7], number[7:]))
    assert parse(written) == Phone(f"+86{number}")


@SOME
@given(written=st.text(max_size=LONGEST_WRITTEN + 4))
@example("\ud800")
@example("+")
@example("00")
@example("８６１３８００１３８０００")  # full-width digits
@example("+86138001380²0")
@example("13800138000;ext=5")
@example("13800138000,13900139000")
@example("tel:13800138000;phone-context=x")
@example("9" * 10_000)
def test_any_text_is_a_phone_or_is_refused_by_name(written: str) -> None:
    _is_phone_or_refused(written)


@SOME
@given(written=st.text(alphabet=string.digits + "+-(). /;,#x", max_size=LONGEST_WRITTEN))
def test_anything_made_of_what_numbers_are_made_of_is_a_phone_or_is_refused_by_name(written: str) -> None:
    _is_phone_or_refused(written)


def _is_phone_or_refused(written: str) -> None:
    match _parsed(written):
        case Phone() as phone:
            assert E164.fullmatch(phone)
            assert parse(phone) == phone
        case InvalidMessage() as refusal:
            assert [error.field for error in refusal.errors] == ["to"]


def _parsed(written: str) -> Phone | InvalidMessage:
    try:
        return parse(written)
    except InvalidMessage as refusal:
        return refusal


@SOME
@given(number=MAINLAND)
def test_a_refusal_does_not_repeat_what_was_given(number: str) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        parse(f"{number}{number}")
    assert number not in str(refusal.value)


@pytest.mark.parametrize("written", ["1380013TEST", "1380013CODE", "+86 138 0013 CODE", "0086138001TEXTS"])
def test_letters_are_not_read_as_the_digits_of_a_strangers_phone(written: str) -> None:
    with pytest.raises(InvalidMessage):
        parse(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "code",
        "1380013800",  # a digit short
        "138001380000",  # a digit long
        "12345678901",  # no such range
        "+999123456789",  # no such country
        "010-12345678",  # a fixed line in Beijing
        "+8601012345678",
        "13800138000 13900139000",
        "13800138000,13900139000",
        "13800138000#12",
        "1" * (LONGEST_WRITTEN + 1),
    ],
)
def test_what_no_sms_can_reach_is_refused(written: str) -> None:
    with pytest.raises(InvalidMessage):
        parse(written)


@pytest.mark.parametrize(
    ("written", "phone", "national"),
    [
        ("13800138000", "+8613800138000", "13800138000"),
        ("+85251234567", "+85251234567", "85251234567"),
        ("0085251234567", "+85251234567", "85251234567"),
        ("+1 415 555 2671", "+14155552671", "14155552671"),  # mobile and fixed share their ranges there
    ],
)
def test_a_phone_knows_its_number_as_the_provider_takes_it(written: str, phone: str, national: str) -> None:
    known = parse(written)
    assert known == phone
    assert known.national == national
    assert known.is_mainland is phone.startswith("+86")


@SOME
@given(number=st.text(alphabet=string.digits + "+ -", max_size=40))
def test_a_mask_hides_four_digits_at_least_and_keeps_the_length(number: str) -> None:
    masked = mask(number)
    assert len(masked) == len(number)
    assert masked.count("*") >= min(4, len(number))
    shown = [(before, after) for before, after in zip(number, masked, strict=True) if after != "*"]
    assert all(before == after for before, after in shown)
    assert len(shown) <= 10


@SOME
@given(number=MAINLAND)
def test_neither_the_mask_nor_the_repr_of_a_phone_holds_its_number(number: str) -> None:
    phone = parse(number)
    for shown in (phone.masked, repr(phone), f"{[phone]}", f"{ {'to': phone} }"):
        assert number not in shown
        assert shown.count("*") == 4
    assert phone.masked == f"+86{number[:3]}****{number[7:]}"


def test_a_number_too_short_to_show_anything_of_is_hidden_whole() -> None:
    assert mask("1234567") == "*******"
    assert mask("") == ""


@pytest.mark.parametrize("prefix", ["", "86", "+86", "0086"])
def test_a_mainland_number_as_it_is_mostly_written_is_read_as_the_library_reads_it(prefix: str) -> None:
    """By a regular expression of the library's own, because the library itself takes thirty times as long."""

    def by_library(written: str) -> bool:
        number = phonenumbers.parse(written, "CN")
        return (
            phonenumbers.is_valid_number(number)
            and phonenumbers.number_type(number) is phonenumbers.PhoneNumberType.MOBILE
        )

    for start in range(1300, 2000):
        for end in ("0000000", "1234567", "9999999"):
            try:
                phone = parse(f"{prefix}{start}{end}")
            except InvalidMessage:
                phone = None
            expected = f"+86{start}{end}" if by_library(f"+86{start}{end}") else None
            assert phone == expected
