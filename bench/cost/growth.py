"""Whether a cost grows faster than what it is the cost of."""

import math
from collections.abc import Sequence


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Fit `cost = a * size ** b` by least squares of the logarithms; gives b.

    1 is linear; a cost for each message that does not change gives 0 where `costs` are for each; NaN where there are
    not two sizes.
    """
    if len(sizes) < 2:
        return math.nan
    across = [math.log(size) for size in sizes]
    up = [math.log(cost) for cost in costs]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    spread = sum((x - middle) ** 2 for x in across)
    return sum((x - middle) * (y - height) for x, y in zip(across, up, strict=True)) / spread


def of_sorting(sizes: Sequence[float]) -> float:
    """Give the exponent that n log n would show between these sizes."""
    return exponent(sizes, [size * math.log(size) for size in sizes])


def verdict(sizes: Sequence[float], costs: Sequence[float], noise: float = 0.05) -> str:
    """Say how a cost grows: linearly or less, as sorting does, or worse."""
    found = exponent(sizes, costs)
    if found <= 1 + noise:
        return f"linear or less (n^{found:.2f})"
    if found <= of_sorting(sizes) + noise:
        return f"as n log n (n^{found:.2f})"
    return f"**worse than n log n** (n^{found:.2f})"
