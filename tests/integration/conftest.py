"""Gateways of real processes for the tests: one shared, one at rest, and one of its own for each test that kills."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from celery import Celery
from pytest_celery import CeleryBrokerCluster, CeleryTestSetup, RedisTestBroker

from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import IMPATIENT, QUEUES, Gateway, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.starting import started, tended_by, with_worker
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode

# The database of the gateway that has everything; others take 0 to 7, and 12 to 14 (see road/conftest.py).
TENDED = 10
GATHERING = 11


@pytest.fixture(scope="session")
def janitor() -> Iterator[Janitor]:
    with Janitor() as watching:
        yield watching


@pytest.fixture(scope="session")
def redis_node(tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[RedisNode]:
    """A Redis that lives as long as the session. Each database is a Redis of its own to us."""
    node = RedisNode.start(tmp_path_factory.mktemp("redis"), janitor)
    until(node.ready, "Redis is ready")
    yield node
    node.teardown()


@pytest.fixture(scope="session")
def gateway(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    """The gateway that most tests share: its one worker serves every queue, and logs everything."""
    folder = tmp_path_factory.mktemp("gateway")
    with ExitStack() as stack:
        without = started(stack, redis_node, 0, folder, janitor)
        settings = worker_settings(without.redis_url, without.sandbox)
        environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="6")
        worker = WorkerNode.start(
            "worker", procfile.worker_line(*QUEUES, log_level="DEBUG"), environment, folder, janitor
        )
        stack.callback(worker.teardown)
        until(worker.ready, "the worker is ready")
        yield with_worker(without, worker)


@pytest.fixture(scope="session")
def resting(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    """A gateway without workers: what is queued stays queued."""
    with ExitStack() as stack:
        yield started(stack, redis_node, 1, tmp_path_factory.mktemp("resting"), janitor)


@pytest.fixture(scope="session")
def tended(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    """A gateway with everything, beat included, that is quick to look after what is lost, uncertain or silent."""
    folder = tmp_path_factory.mktemp("tended")
    with ExitStack() as stack:
        without = started(stack, redis_node, TENDED, folder, janitor)
        settings = {**worker_settings(without.redis_url, without.sandbox, guarded=True), **IMPATIENT}
        environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="4")
        yield tended_by(without, environment, stack, folder, janitor)


@pytest.fixture(scope="session")
def gathering(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    """A gateway like `tended` whose notices leave together."""
    folder = tmp_path_factory.mktemp("gathering")
    with ExitStack() as stack:
        without = started(stack, redis_node, GATHERING, folder, janitor, SMSGATE_GATHER_SECONDS="1")
        settings = {
            **worker_settings(without.redis_url, without.sandbox, guarded=True),
            **IMPATIENT,
            "SMSGATE_LEASE_SECONDS": "45",
        }
        environment = clean_environment(**settings, SMSGATE_GATHER_SECONDS="1", SMSGATE_OTP_CONCURRENCY="3")
        yield tended_by(without, environment, stack, folder, janitor)


# pytest-celery's own fixtures, with processes in place of containers: nodes that a test may kill.


@pytest.fixture
def default_redis_broker(tmp_path: Path, janitor: Janitor) -> RedisNode:
    node = RedisNode.start(tmp_path, janitor)
    until(node.ready, "Redis is ready")
    return node


@pytest.fixture
def celery_broker_cluster(celery_redis_broker: RedisTestBroker) -> CeleryBrokerCluster:
    """Redis only; the plugin would run each test on RabbitMQ too."""
    return CeleryBrokerCluster(celery_redis_broker)


@pytest.fixture
def celery_backend_cluster() -> None:
    """There are no results to keep: a message's fate is in its record."""


@pytest.fixture
def bare_gateway(default_redis_broker: RedisNode, tmp_path: Path, janitor: Janitor) -> Iterator[Gateway]:
    """A gateway of this test's own, without workers."""
    with ExitStack() as stack:
        yield started(stack, default_redis_broker, 0, tmp_path, janitor)


@pytest.fixture
def default_worker_container(bare_gateway: Gateway, tmp_path: Path, janitor: Janitor) -> WorkerNode:
    settings = {**worker_settings(bare_gateway.redis_url, bare_gateway.sandbox), **IMPATIENT}
    environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="3")
    node = WorkerNode.start("worker", procfile.worker_line(*QUEUES), environment, tmp_path, janitor)
    until(node.ready, "the worker is ready")
    return node


@pytest.fixture
def beat(bare_gateway: Gateway, tmp_path: Path, janitor: Janitor) -> Iterator[NodeProcess]:
    """The beat of this test's own gateway."""
    environment = clean_environment(SMSGATE_REDIS_URL=bare_gateway.redis_url)
    node = NodeProcess("beat", procfile.line("beat"), environment, tmp_path, janitor)
    node.start()
    yield node
    node.end()


@pytest.fixture
def own_gateway(celery_setup: CeleryTestSetup, bare_gateway: Gateway, default_worker_container: WorkerNode) -> Gateway:
    """A gateway of this test's own, whose parts it may kill through `celery_setup`."""
    return with_worker(bare_gateway, default_worker_container)


@pytest.fixture
def foreign_app(gateway: Gateway) -> Iterator[Celery]:
    """A Celery app that has none of our code and knows the broker alone."""
    with Celery("foreign", broker=gateway.redis_url, set_as_current=False) as app:
        yield app
