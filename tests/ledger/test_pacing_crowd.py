"""Eight processes with four threads each on one channel: no limit is exceeded."""

from bisect import bisect_left
from collections import Counter

import pytest
import redis

from tests.ledger.paced import book_for, everywhere, write_to

pytestmark = pytest.mark.crowd

RATE = 400.0


def _most_within(slots: list[int], milliseconds: int) -> int:
    """Count the slots in the fullest stretch of so long."""
    return max(bisect_left(slots, slot + milliseconds) - place for place, slot in enumerate(slots))


def test_no_second_sees_more_calls_than_the_rate_and_a_hundredth(store: redis.Redis, redis_url: str) -> None:
    slots = sorted(everywhere(book_for, redis_url, RATE, 4.0))
    assert _most_within(slots, 1000) <= RATE * 1.01
    assert len(slots) / (slots[-1] - slots[0]) * 1000 > RATE * 0.95


def test_no_recipient_is_written_to_once_more_than_permitted(store: redis.Redis, redis_url: str) -> None:
    by_sign, by_number = ((3600.0, 5), (86_400.0, 10)), ((86_400.0, 7),)
    shared = [[(f"sign-{one}", by_sign), (f"number-{one // 2}", by_number)] for one in range(20)]
    alone = [[(f"alone-{one}", by_sign)] for one in range(20)]
    written = Counter(everywhere(write_to, redis_url, [*shared, *alone], 1.0))
    assert {written[one] + written[one + 1] for one in range(0, 20, 2)} == {7}
    assert {written[one] for one in range(20, 40)} == {5}
