"""The time, as a part that is handed in: tests and simulations bring their own."""

import time
from collections.abc import Callable

Clock = Callable[[], int]


def system_clock() -> int:
    """Tell the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000
