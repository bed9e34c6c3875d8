"""Numbers are read in every form that the provider takes."""

import pytest

from smsgate.sandbox import numbers
from smsgate.sandbox.numbers import Number


@pytest.mark.parametrize("prefix", ["", "+", "86", "+86", "0086"])
def test_the_mainland_is_known_under_every_prefix(prefix: str) -> None:
    assert numbers.read(f"{prefix}13800138000") == Number("13800138000", mainland=True)


@pytest.mark.parametrize("written", ["85298765432", "+85298765432", "0085298765432"])
def test_abroad_is_country_code_and_number(written: str) -> None:
    assert numbers.read(written) == Number("85298765432", mainland=False)


@pytest.mark.parametrize(
    "written", ["", "abc", "861234", "+861380013800", "1" * 16, "138 0013 8000", "１３８００１３８０００"]
)
def test_what_is_no_number_is_told_so(written: str) -> None:
    assert numbers.read(written) is None
