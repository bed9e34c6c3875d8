"""How much of Redis a campaign takes at a time, so that a code need not wait for it.

Redis runs one script at a time, and answers all that it found waiting together. So what is done with many messages is
done a slice at a time, and by one thread of a process after the other: eight that each send a slice make whoever comes
next wait for eight, mostly a code, which needs half a dozen answers on its way. They gain nothing by it.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final, TypeVar

T = TypeVar("T")

# Records that one call of a script claims or changes, in 1 ms.
AT_ONCE: Final = 25
# Seconds after which it is nobody's turn any more: Redis is away, and each finds that out for itself.
_LONGEST: Final = 0.1


def slices(some: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut what is to be done."""
    return (some[first : first + AT_ONCE] for first in range(0, len(some), AT_ONCE))


@contextmanager
def in_turn() -> Iterator[None]:
    """Wait until no other thread of this process is in such a block, though not for long."""
    turn = _turn(os.getpid())
    is_mine = turn.acquire(timeout=_LONGEST)
    try:
        yield
    finally:
        if is_mine:
            turn.release()


@cache
def _turn(_pid: int) -> threading.Lock:
    """Give a process its own: one forked while another thread had its turn would never get it."""
    return threading.Lock()
