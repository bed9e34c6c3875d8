"""An endpoint that is slow and alive takes its share of the threads, and no more."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from smsgate.ledger.breakers import breaker_storage
from smsgate.ledger.connection import connect_briefly
from smsgate.webhooks.breakers import Breakers
from smsgate.webhooks.crowd import Crowd
from smsgate.webhooks.outcome import Crowded, Delivered, Failed
from smsgate.webhooks.post import Post
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.webhooks.endpoint import Endpoint, listening, silent

DATABASE = 7


@pytest.fixture
def post(redis_node: RedisNode) -> Post:
    redis_node.connect(DATABASE).flushdb()
    storage = breaker_storage(connect_briefly(redis_node.database(DATABASE)))
    return Post(Breakers(storage), allow_private=True, longest=1.0, crowd=Crowd(2))


def test_those_who_find_an_endpoint_busy_leave_their_thread_to_others(post: Post, endpoint: Endpoint) -> None:
    with listening(silent) as port, ThreadPoolExecutor(6) as threads:
        slow = f"http://127.0.0.1:{port}/"
        calls = [threads.submit(post, slow, b"{}", {}) for _ in range(5)]
        assert post(endpoint.url, b"{}", {}) == Delivered(204)
        outcomes = [call.result(timeout=10) for call in calls]
    assert sorted(map(repr, outcomes)) == sorted([repr(Crowded())] * 3 + [repr(Failed("timeout", down=True))] * 2)
    assert post(endpoint.url, b"{}", {}) == Delivered(204)


def test_places_are_given_back_and_counted_by_endpoint() -> None:
    crowd = Crowd(1)
    with crowd.place("a") as first, crowd.place("a") as second, crowd.place("b") as other:
        assert (first, second, other) == (True, False, True)
    with crowd.place("a") as again:
        assert again
