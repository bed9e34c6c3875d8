"""Four processes call a server over sockets that takes a tenth of what was declared."""

from collections import Counter

import pytest
import redis

from tests.ledger.paced import Counting, call_for, everywhere

pytestmark = pytest.mark.crowd

LIMIT = 100
SECONDS = 10


def test_workers_find_together_what_a_provider_takes(store: redis.Redis, redis_url: str) -> None:
    server = Counting(LIMIT)
    try:
        everywhere(call_for, redis_url, server.port, 1000.0, float(SECONDS), processes=4)
    finally:
        server.close()
    first = int(server.taken[0])
    by_second = Counter(int(at) - first for at in server.taken)
    whole = [by_second[second] for second in range(3, SECONDS - 1)]
    late = [at for at in server.throttled if at - first >= 3]
    assert sum(whole) / len(whole) >= 0.9 * LIMIT, (by_second, len(server.throttled))
    assert len(server.throttled) <= 250
    assert len(late) <= 40
