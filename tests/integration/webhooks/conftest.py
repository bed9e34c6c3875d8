from collections.abc import Iterator

import pytest
from pybreaker import CircuitMemoryStorage

from smsgate.webhooks.breakers import Breakers
from smsgate.webhooks.post import Post
from tests.integration.webhooks.endpoint import Endpoint, serving


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as one:
        yield one


@pytest.fixture
def breakers() -> Breakers:
    return Breakers(lambda _: CircuitMemoryStorage("closed"))


@pytest.fixture
def post(breakers: Breakers) -> Post:
    """As on a developer's machine, where 127.0.0.1 is allowed; and in a hurry."""
    return Post(breakers, allow_private=True, longest=1.0)


@pytest.fixture
def strict(breakers: Breakers) -> Post:
    return Post(breakers, longest=1.0)
