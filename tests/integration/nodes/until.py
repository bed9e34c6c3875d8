"""Wait for what must come, never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Seconds. Everything here takes well below one; the machine that runs it may be busy with other things.
PATIENCE = 20.0


def until(question: Callable[[], T], what: str, within: float = PATIENCE) -> T:
    """Ask until the answer is true, and give it back; fails after `within` seconds."""
    deadline = time.monotonic() + within
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}; last seen: {answer!r}"
        time.sleep(0.02)
    return answer
