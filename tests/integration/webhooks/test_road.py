"""From the outbox to the client, by the workers and the beat that users start."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from standardwebhooks import Webhook

from smsgate.ledger import keys
from tests.integration.nodes import procfile
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode
from tests.integration.webhooks.endpoint import Endpoint, listening, serving, silent
from tests.integration.webhooks.notices import rested

DATABASE = 8


@pytest.fixture(scope="module")
def environment(redis_node: RedisNode) -> dict[str, str]:
    return clean_environment(SMSGATE_REDIS_URL=redis_node.database(DATABASE), SMSGATE_WEBHOOK_ALLOW_PRIVATE="true")


@pytest.fixture(scope="module")
def workers(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory, janitor: Janitor
) -> Iterator[list[WorkerNode]]:
    """The Procfile's own lines: webhooks, receipts (which takes the chores) and beat."""
    folder: Path = tmp_path_factory.mktemp("webhooks")
    nodes = [
        WorkerNode.start(name, procfile.line(name), environment, folder, janitor) for name in ("webhooks", "receipts")
    ]
    beat = NodeProcess("beat", procfile.line("beat"), environment, folder, janitor)
    beat.start()
    for node in nodes:
        until(node.ready, "the worker is ready")
    yield nodes
    beat.end()
    for node in nodes:
        node.teardown()


@pytest.fixture
def store(redis_node: RedisNode, workers: list[WorkerNode]) -> redis.Redis:
    return redis_node.connect(DATABASE)


def _secrets(environment: dict[str, str], *options: str) -> list[str]:
    command = ["smsgate", "webhooks", "secret", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_webhook_that_is_due_reaches_its_client(
    store: redis.Redis, endpoint: Endpoint, environment: dict[str, str]
) -> None:
    (secret,) = _secrets(environment, "acme")
    message_id = rested(store, endpoint.url)

    until(lambda: endpoint.posted, "the client is told")

    (posted,) = endpoint.posted
    assert Webhook(secret).verify(posted.body, posted.headers)["data"]["id"] == message_id
    until(lambda: not store.zcard(keys.WEBHOOKS), "the webhook is done with")


def test_an_endpoint_that_fails_once_is_told_again(store: redis.Redis, endpoint: Endpoint) -> None:
    endpoint.answers.append((500, {}))
    rested(store, endpoint.url)
    until(lambda: len(endpoint.posted) == 2, "the client is told again")
    assert endpoint.posted[0].body == endpoint.posted[1].body
    until(lambda: not store.zcard(keys.WEBHOOKS), "the webhook is done with")


def test_a_dead_endpoint_does_not_keep_the_others_waiting(store: redis.Redis, endpoint: Endpoint) -> None:
    with listening(silent) as port:
        for _ in range(40):
            rested(store, f"http://127.0.0.1:{port}/")
        for _ in range(40):
            rested(store, endpoint.url)
        # One round of the read timeout (5 s), then the breaker is open.
        until(lambda: len(endpoint.posted) == 40, "every other client is told")
    store.delete(keys.WEBHOOKS)


def test_thousands_at_once_are_each_told_once(store: redis.Redis) -> None:
    with serving() as endpoint:
        ids = {rested(store, endpoint.url) for _ in range(1500)}
        until(lambda: not store.zcard(keys.WEBHOOKS), "every webhook is done with", within=60)
        assert len(endpoint.posted) == 1500
        assert {json.loads(posted.body)["data"]["id"] for posted in endpoint.posted} == ids


def test_the_workers_logs_show_neither_number_nor_token_nor_secret(
    store: redis.Redis, workers: list[WorkerNode], endpoint: Endpoint, environment: dict[str, str]
) -> None:
    rested(store, endpoint.url)
    until(lambda: endpoint.posted, "the client is told")
    shown = "".join(node.every_log() for node in workers)
    assert "webhook_delivered" in shown
    for hidden in ("13800138000", "hunter2", *(one.removeprefix("whsec_") for one in _secrets(environment, "acme"))):
        assert hidden not in shown


def test_the_command_rotates_and_drops_secrets(environment: dict[str, str]) -> None:
    (first,) = _secrets(environment, "other")
    second, previous = _secrets(environment, "other", "--rotate")
    assert previous == first
    assert _secrets(environment, "other") == [second, first]
    assert _secrets(environment, "other", "--drop-previous") == [second]
    assert len(_secrets(environment, "")) == 1
