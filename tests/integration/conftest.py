"""Gateways of real processes for the tests: one shared, one at rest, and one of its own for each test that kills."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from celery import Celery
from kombu import Connection
from pytest_celery import CeleryBrokerCluster, CeleryTestSetup, RedisTestBroker

from smsgate.ledger.api_keys import ApiKeys
from smsgate.sandbox.process import SandboxProcess
from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import IMPATIENT, QUEUES, Gateway, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment, free_port
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.until import until
from tests.integration.nodes.web_node import WebNode, callback_url
from tests.integration.nodes.worker_node import WorkerNode

# Seconds from the provider's acceptance to its receipt.
REPORT_DELAY = 0.15
# The database of the gateway that has everything; others take 0 to 7.
TENDED = 10
GATHERING = 11
APART = {"redis": 12, "filesystem": 13, "amqp": 14}
# An AMQP broker to test with, such as amqp://guest:guest@127.0.0.1:5672//; what is in our queues there is deleted.
AMQP = "SMSGATE_TESTS_AMQP_URL"


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


def _sandbox(web_port: int) -> SandboxProcess:
    return SandboxProcess(
        report_url=callback_url(web_port, "sms-report"),
        up_url=callback_url(web_port, "sms-up"),
        report_delay=REPORT_DELAY,
        retry_delays="0.2,0.2,0.2",
    )


def _gateway(
    stack: ExitStack, redis_node: RedisNode, database: int, folder: Path, janitor: Janitor, **settings: str
) -> Gateway:
    """Start a gateway without workers."""
    port = free_port()
    sandbox = stack.enter_context(_sandbox(port))
    environment = clean_environment(**settings)
    web = WebNode({**environment, "SMSGATE_REDIS_URL": redis_node.database(database)}, port, folder, janitor).start()
    stack.callback(web.end)
    key = ApiKeys(redis_node.connect(database)).create("tests")
    return Gateway(redis_node, database, sandbox, web.wait_until_ready(), environment, folder, key)


@pytest.fixture(scope="session")
def gateway(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    """The gateway that most tests share: its one worker serves every queue, and logs everything."""
    folder = tmp_path_factory.mktemp("gateway")
    with ExitStack() as stack:
        without = _gateway(stack, redis_node, 0, folder, janitor)
        settings = worker_settings(without.redis_url, without.sandbox)
        environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="6")
        worker = WorkerNode.start(
            "worker", procfile.worker_line(*QUEUES, log_level="DEBUG"), environment, folder, janitor
        )
        stack.callback(worker.teardown)
        until(worker.ready, "the worker is ready")
        yield _with_worker(without, worker)


@pytest.fixture(scope="session")
def resting(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    """A gateway without workers: what is queued stays queued."""
    with ExitStack() as stack:
        yield _gateway(stack, redis_node, 1, tmp_path_factory.mktemp("resting"), janitor)


@pytest.fixture(scope="session")
def tended(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    """A gateway with everything, beat included, that is quick to look after what is lost, uncertain or silent."""
    folder = tmp_path_factory.mktemp("tended")
    with ExitStack() as stack:
        without = _gateway(stack, redis_node, TENDED, folder, janitor)
        settings = {**worker_settings(without.redis_url, without.sandbox), **IMPATIENT}
        environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="4")
        worker = WorkerNode.start("worker", procfile.worker_line(*QUEUES), environment, folder, janitor)
        stack.callback(worker.teardown)
        beat = NodeProcess("beat", procfile.line("beat"), environment, folder, janitor)
        beat.start()
        stack.callback(beat.end)
        until(worker.ready, "the worker is ready")
        yield _with_worker(without, worker)


@pytest.fixture(scope="session")
def gathering(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    """A gateway like `tended` whose notices leave together."""
    folder = tmp_path_factory.mktemp("gathering")
    with ExitStack() as stack:
        without = _gateway(stack, redis_node, GATHERING, folder, janitor, SMSGATE_GATHER_SECONDS="1")
        settings = {**worker_settings(without.redis_url, without.sandbox), **IMPATIENT, "SMSGATE_LEASE_SECONDS": "45"}
        environment = clean_environment(**settings, SMSGATE_GATHER_SECONDS="1", SMSGATE_OTP_CONCURRENCY="3")
        worker = WorkerNode.start("worker", procfile.worker_line(*QUEUES), environment, folder, janitor)
        stack.callback(worker.teardown)
        beat = NodeProcess("beat", procfile.line("beat"), environment, folder, janitor)
        beat.start()
        stack.callback(beat.end)
        until(worker.ready, "the worker is ready")
        yield _with_worker(without, worker)


@dataclass(frozen=True, slots=True)
class Apart:
    """A gateway with everything whose tasks wait at a broker of their own; that broker's Redis, where it is one."""

    gateway: Gateway
    settings: dict[str, str]
    broker: RedisNode | None


@pytest.fixture(scope="session")
def apart_on_redis(
    redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor
) -> Iterator[Apart]:
    """Its broker is a second Redis, which a test may end and start again."""
    broker = RedisNode.start(tmp_path_factory.mktemp("broker"), janitor)
    until(broker.ready, "the broker is ready")
    with ExitStack() as stack:
        stack.callback(broker.teardown)
        folder = tmp_path_factory.mktemp("apart-on-redis")
        yield _apart(stack, redis_node, APART["redis"], folder, janitor, broker, SMSGATE_BROKER_URL=broker.database(0))


@pytest.fixture(scope="session")
def apart_on_files(
    redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor
) -> Iterator[Apart]:
    """Its broker is kombu's of files, which knows nothing of Redis."""
    folder = tmp_path_factory.mktemp("apart-on-files")
    (folder / "queues").mkdir()
    options = dict.fromkeys(("data_folder_in", "data_folder_out"), str(folder / "queues"))
    settings = {
        "SMSGATE_BROKER_URL": "filesystem://",
        "SMSGATE_BROKER_OPTIONS": json.dumps({**options, "control_folder": str(folder / "control")}),
    }
    with ExitStack() as stack:
        yield _apart(stack, redis_node, APART["filesystem"], folder, janitor, None, **settings)


@pytest.fixture(scope="session")
def apart_on_amqp(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Apart]:
    """Its broker is one that is named in the environment, and where none is, its tests are left out."""
    url = os.environ.get(AMQP)
    if url is None:
        pytest.skip(f"{AMQP} names no broker")
    with Connection(url) as connection:
        for queue in QUEUES:
            connection.default_channel.queue_delete(queue)
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("apart-on-amqp")
        yield _apart(stack, redis_node, APART["amqp"], folder, janitor, None, SMSGATE_BROKER_URL=url)


def _apart(
    stack: ExitStack,
    redis_node: RedisNode,
    database: int,
    folder: Path,
    janitor: Janitor,
    broker: RedisNode | None,
    **settings: str,
) -> Apart:
    given = {**settings, "SMSGATE_GATHER_SECONDS": "1"}
    without = _gateway(stack, redis_node, database, folder, janitor, **given)
    all_settings = {**worker_settings(without.redis_url, without.sandbox), **IMPATIENT, **given}
    environment = clean_environment(**all_settings, SMSGATE_OTP_CONCURRENCY="4")
    worker = WorkerNode.start("worker", procfile.worker_line(*QUEUES), environment, folder, janitor)
    stack.callback(worker.teardown)
    beat = NodeProcess("beat", procfile.line("beat"), environment, folder, janitor)
    beat.start()
    stack.callback(beat.end)
    until(worker.ready, "the worker is ready")
    return Apart(_with_worker(without, worker), {**given, "SMSGATE_REDIS_URL": without.redis_url}, broker)


def _with_worker(gateway: Gateway, worker: WorkerNode) -> Gateway:
    return Gateway(
        gateway.redis_node,
        gateway.database,
        gateway.sandbox,
        gateway.web,
        gateway.environment,
        gateway.folder,
        gateway.key,
        worker,
    )


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
        yield _gateway(stack, default_redis_broker, 0, tmp_path, janitor)


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
    return _with_worker(bare_gateway, default_worker_container)


@pytest.fixture
def foreign_app(gateway: Gateway) -> Iterator[Celery]:
    """A Celery app that has none of our code and knows the broker alone."""
    with Celery("foreign", broker=gateway.redis_url, set_as_current=False) as app:
        yield app
