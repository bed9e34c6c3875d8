import math

import pytest

from bench.cost import growth

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def test_the_exponent_of_a_line_is_one_whatever_its_slope() -> None:
    assert growth.exponent(SIZES, [0.003 * size for size in SIZES]) == pytest.approx(1)


def test_the_exponent_of_a_square_is_two() -> None:
    assert growth.exponent(SIZES, [size**2 for size in SIZES]) == pytest.approx(2)


def test_a_cost_that_does_not_grow_has_the_exponent_zero() -> None:
    assert growth.exponent(SIZES, [0.4] * len(SIZES)) == pytest.approx(0)


def test_a_line_is_told_from_sorting_and_sorting_from_what_is_worse() -> None:
    assert growth.verdict(SIZES, [2 * size for size in SIZES]).startswith("linear")
    assert growth.verdict(SIZES, [size * math.log(size) for size in SIZES]).startswith("as n log n")
    assert growth.verdict(SIZES, [size**1.5 for size in SIZES]).startswith("**worse")


def test_a_fixed_cost_of_small_sizes_does_not_hide_a_square() -> None:
    assert growth.verdict(SIZES, [5 + (size / 1000) ** 2 for size in SIZES]).startswith("**worse")
