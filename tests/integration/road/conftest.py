"""Gateways whose tasks wait at a broker of their own."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from kombu import Connection

from tests.integration.nodes.gateway import IMPATIENT, QUEUES, Gateway, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.starting import started, tended_by
from tests.integration.nodes.until import until

# Databases of the shared Redis; the other gateways' are in the folder above.
APART = {"redis": 12, "filesystem": 13, "amqp": 14}
# An AMQP broker to test with, such as amqp://guest:guest@127.0.0.1:5672//; what is in our queues there is deleted.
AMQP = "SMSGATE_TESTS_AMQP_URL"


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
    without = started(stack, redis_node, database, folder, janitor, **given)
    all_settings = {**worker_settings(without.redis_url, without.sandbox, guarded=True), **IMPATIENT, **given}
    environment = clean_environment(**all_settings, SMSGATE_OTP_CONCURRENCY="4")
    tended = tended_by(without, environment, stack, folder, janitor)
    return Apart(tended, {**given, "SMSGATE_REDIS_URL": without.redis_url}, broker)
