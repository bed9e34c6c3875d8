"""An endpoint that is down is left alone, and nobody else waits for it; all workers know."""

import time
from collections.abc import Callable

import pytest
import redis
from pybreaker import CircuitBreakerStorage

from smsgate.ledger import keys
from smsgate.ledger.breakers import breaker_storage
from smsgate.ledger.connection import connect_briefly
from smsgate.webhooks.breakers import FAILURES, Breakers
from smsgate.webhooks.outcome import Delivered, Failed, Unasked
from smsgate.webhooks.post import Post
from tests.integration.nodes.process import free_port
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.webhooks.endpoint import Endpoint, listening, silent

DATABASE = 6


@pytest.fixture
def store(redis_node: RedisNode) -> redis.Redis:
    client = redis_node.connect(DATABASE)
    client.flushdb()
    return client


@pytest.fixture
def storage(redis_node: RedisNode, store: redis.Redis) -> Callable[[str], CircuitBreakerStorage]:
    return breaker_storage(connect_briefly(redis_node.database(DATABASE)))


@pytest.fixture
def worker(storage: Callable[[str], CircuitBreakerStorage]) -> Post:
    return Post(Breakers(storage), allow_private=True, longest=0.3)


@pytest.fixture
def other_worker(storage: Callable[[str], CircuitBreakerStorage]) -> Post:
    return Post(Breakers(storage), allow_private=True, longest=0.3)


def test_a_dead_endpoint_is_left_alone_and_another_is_not_slowed(worker: Post, endpoint: Endpoint) -> None:
    with listening(silent) as port:
        dead = f"http://127.0.0.1:{port}/"
        for _ in range(FAILURES):
            assert worker(dead, b"{}", {}) == Failed("timeout", down=True)
        began = time.monotonic()
        for _ in range(20):
            assert worker(dead, b"{}", {}) == Unasked()
            assert worker(endpoint.url, b"{}", {}) == Delivered(204)
    assert time.monotonic() - began < 2  # measured: 0.1 s


def test_what_one_worker_has_found_out_all_know(worker: Post, other_worker: Post) -> None:
    dead = f"http://127.0.0.1:{free_port()}/"
    other_worker(dead, b"{}", {})  # it remembers the endpoint from before
    for _ in range(FAILURES - 1):
        worker(dead, b"{}", {})
    assert other_worker(dead, b"{}", {}) == Unasked()


def test_a_refusal_is_an_answer_and_opens_nothing(worker: Post, endpoint: Endpoint) -> None:
    endpoint.answers += [(404, {})] * (FAILURES + 1)
    for _ in range(FAILURES + 1):
        assert worker(endpoint.url, b"{}", {}) == Failed("status_404")


def test_an_endpoint_that_is_back_is_found_by_one_try(
    storage: Callable[[str], CircuitBreakerStorage], endpoint: Endpoint
) -> None:
    hasty = Post(Breakers(storage, pause=1.0), allow_private=True)
    endpoint.answers += [(500, {})] * FAILURES
    for _ in range(FAILURES):
        hasty(endpoint.url, b"{}", {})
    assert hasty(endpoint.url, b"{}", {}) == Unasked()
    time.sleep(1.1)
    assert [hasty(endpoint.url, b"{}", {}) for _ in range(2)] == [Delivered(204)] * 2


def test_a_try_that_fails_leaves_the_endpoint_alone_again(
    storage: Callable[[str], CircuitBreakerStorage], endpoint: Endpoint
) -> None:
    hasty = Post(Breakers(storage, pause=1.0), allow_private=True)
    endpoint.answers += [(500, {})] * (FAILURES + 1)
    for _ in range(FAILURES):
        hasty(endpoint.url, b"{}", {})
    time.sleep(1.1)
    assert hasty(endpoint.url, b"{}", {}) == Failed("status_500", down=True)
    assert hasty(endpoint.url, b"{}", {}) == Unasked()


def test_what_is_remembered_of_an_endpoint_lapses(worker: Post, store: redis.Redis) -> None:
    """Whoever sends messages may name endpoints without end."""
    dead = f"http://127.0.0.1:{free_port()}/"
    for _ in range(FAILURES + 1):
        worker(dead, b"{}", {})
    known = store.keys()
    assert len(known) == 4
    assert all(0 < store.ttl(key) <= keys.BREAKER_TTL for key in known)
