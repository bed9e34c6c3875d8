"""The step that tells a client, with a real Redis and real endpoints."""

import json
from collections.abc import Iterator

import pytest
import redis
import structlog
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from smsgate.flow.notify import BACKOFF, HOLD, LONGEST_LIFE, Notify
from smsgate.ledger import keys
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.ledger.webhook_secrets import WebhookSecrets
from smsgate.ledger.webhooks import Due, Webhooks
from smsgate.message import MessageId
from smsgate.states import RESTING, State
from smsgate.webhooks.breakers import FAILURES, PAUSE
from smsgate.webhooks.post import Post
from smsgate.webhooks.signature import new_secret
from tests.integration.nodes.process import free_port
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.webhooks.endpoint import Endpoint
from tests.integration.webhooks.notices import now, rested

DATABASE = 7


@pytest.fixture
def store(redis_node: RedisNode) -> redis.Redis:
    client = redis_node.connect(DATABASE)
    client.flushdb()
    return client


@pytest.fixture
def outbox(store: redis.Redis) -> Webhooks:
    return Webhooks(store)


@pytest.fixture
def secrets(store: redis.Redis) -> WebhookSecrets:
    return WebhookSecrets(store, new_secret)


@pytest.fixture
def notify(store: redis.Redis, outbox: Webhooks, secrets: WebhookSecrets, post: Post) -> Notify:
    return Notify(Records(store, retention=Retention(3600)), outbox, secrets, post, chance=lambda: 0.5)


@pytest.fixture
def strict_notify(store: redis.Redis, outbox: Webhooks, secrets: WebhookSecrets, strict: Post) -> Notify:
    return Notify(Records(store, retention=Retention(3600)), outbox, secrets, strict)


@pytest.fixture
def logs() -> Iterator[list[structlog.typing.EventDict]]:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as captured:
        yield captured


def _lease(store: redis.Redis, message_id: MessageId) -> Due:
    """Give a webhook as a task gets it."""
    score = store.zscore(keys.WEBHOOKS, message_id)
    assert score is not None
    return Due(message_id, int(score))


def _wait(store: redis.Redis, message_id: MessageId) -> float:
    """Seconds until it is due."""
    return (_lease(store, message_id).at - now()) / 1000


def test_a_client_is_told_what_became_of_its_message(
    notify: Notify, store: redis.Redis, secrets: WebhookSecrets, endpoint: Endpoint
) -> None:
    message_id = rested(store, endpoint.url)

    notify(_lease(store, message_id))

    (posted,) = endpoint.posted
    told = Webhook(secrets.valid("acme")[0]).verify(posted.body, posted.headers)
    assert told["type"] == "message.delivered"
    assert told["timestamp"] == told["data"]["timeline"][-1]["at"]
    assert (told["data"]["id"], told["data"]["state"], told["data"]["final"]) == (message_id, "delivered", True)
    assert posted.headers["webhook-id"] == f"{message_id}-3"
    assert store.zcard(keys.WEBHOOKS) == 0


def test_a_number_is_masked_and_parameters_are_left_out(notify: Notify, store: redis.Redis, endpoint: Endpoint) -> None:
    notify(_lease(store, rested(store, endpoint.url)))
    body = endpoint.posted[0].body.decode()
    assert json.loads(body)["data"]["to"] == "+86138****8000"
    assert "13800138000" not in body
    assert "135790" not in body


def test_after_a_rotation_both_secrets_verify(
    notify: Notify, store: redis.Redis, secrets: WebhookSecrets, endpoint: Endpoint
) -> None:
    (old,) = secrets.valid("acme")
    secrets.rotate("acme")
    notify(_lease(store, rested(store, endpoint.url)))
    for secret in (old, *secrets.valid("acme")):
        Webhook(secret).verify(endpoint.posted[0].body, endpoint.posted[0].headers)


@pytest.mark.parametrize("state", sorted(RESTING))
def test_every_resting_state_is_told_by_its_name(
    notify: Notify, store: redis.Redis, endpoint: Endpoint, state: State
) -> None:
    notify(_lease(store, rested(store, endpoint.url, state=state)))
    assert json.loads(endpoint.posted[0].body)["type"] == f"message.{state}"


def test_a_failed_webhook_comes_again_unchanged_and_later_each_time(
    notify: Notify, store: redis.Redis, endpoint: Endpoint
) -> None:
    message_id = rested(store, endpoint.url)
    for attempt in range(3):
        endpoint.answers.append((404, {}))
        notify(_lease(store, message_id))
        assert _wait(store, message_id) == pytest.approx(BACKOFF[attempt] * 1.1, abs=1)
    notify(_lease(store, message_id))
    assert len({(one.body, one.headers["webhook-id"]) for one in endpoint.posted}) == 1
    assert len(endpoint.posted) == 4
    assert [key for key in store.scan_iter() if "secrets" not in key] == [keys.record(message_id)]


def test_an_endpoints_own_wish_to_wait_is_kept(notify: Notify, store: redis.Redis, endpoint: Endpoint) -> None:
    message_id = rested(store, endpoint.url)
    endpoint.answers.append((429, {"Retry-After": "1000"}))
    notify(_lease(store, message_id))
    assert _wait(store, message_id) == pytest.approx(1000, abs=1)


def test_after_the_last_attempt_it_is_given_up(
    notify: Notify, store: redis.Redis, endpoint: Endpoint, logs: list[structlog.typing.EventDict]
) -> None:
    message_id = rested(store, endpoint.url)
    endpoint.answers += [(404, {})] * (len(BACKOFF) + 1)
    for _ in range(len(BACKOFF) + 1):
        notify(_lease(store, message_id))
    assert store.zcard(keys.WEBHOOKS) == 0
    given_up = logs[-1]
    assert (given_up["event"], given_up["log_level"]) == ("webhook_given_up", "error")
    assert (given_up["message_id"], given_up["reason"], given_up["attempts"]) == (message_id, "status_404", 10)


def test_gone_is_not_tried_again(notify: Notify, store: redis.Redis, endpoint: Endpoint) -> None:
    endpoint.answers.append((410, {}))
    notify(_lease(store, rested(store, endpoint.url)))
    assert store.zcard(keys.WEBHOOKS) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_endpoint_in_our_own_network_is_refused(
    strict_notify: Notify,
    store: redis.Redis,
    endpoint: Endpoint,
    logs: list[structlog.typing.EventDict],
    host: str,
) -> None:
    strict_notify(_lease(store, rested(store, endpoint.url.replace("127.0.0.1", host))))
    assert (endpoint.posted, store.zcard(keys.WEBHOOKS)) == ([], 0)
    assert (logs[-1]["event"], logs[-1]["reason"]) == ("webhook_rejected", "address_refused")


def test_while_an_endpoint_is_down_its_webhooks_wait_without_using_up_attempts(
    notify: Notify, store: redis.Redis, outbox: Webhooks
) -> None:
    dead = f"http://127.0.0.1:{free_port()}/"
    for _ in range(FAILURES):
        notify(_lease(store, rested(store, dead)))
    young, old = rested(store, dead), rested(store, dead, at=now() - 3600_000)
    notify(_lease(store, young))
    notify(_lease(store, old))
    assert _wait(store, young) == pytest.approx(PAUSE * 1.1, abs=1)
    assert _wait(store, old) == pytest.approx(360 * 1.1, abs=1)
    assert outbox.attempts(young, 3) == 0


def test_an_endpoint_that_never_comes_back_is_given_up_at_last(
    notify: Notify, store: redis.Redis, logs: list[structlog.typing.EventDict]
) -> None:
    dead = f"http://127.0.0.1:{free_port()}/"
    for _ in range(FAILURES):
        notify(_lease(store, rested(store, dead)))
    waiting = store.zcard(keys.WEBHOOKS)
    notify(_lease(store, rested(store, dead, at=now() - LONGEST_LIFE * 1000 - 1)))
    assert store.zcard(keys.WEBHOOKS) == waiting
    assert (logs[-1]["event"], logs[-1]["reason"]) == ("webhook_given_up", "endpoint_down")


def test_a_task_whose_webhook_is_no_longer_its_own_posts_nothing(
    notify: Notify, store: redis.Redis, endpoint: Endpoint
) -> None:
    message_id = rested(store, endpoint.url)
    notify(Due(message_id, 1))
    assert endpoint.posted == []
    assert store.zcard(keys.WEBHOOKS) == 1


def test_what_has_no_record_or_no_url_or_is_not_at_rest_is_forgotten(
    notify: Notify, store: redis.Redis, endpoint: Endpoint
) -> None:
    """A record's time ran out; a dead letter was replayed, and will come to rest again."""
    gone = rested(store, endpoint.url)
    store.delete(keys.record(gone))
    for message_id in (gone, rested(store, None), rested(store, endpoint.url, state=State.QUEUED)):
        notify(_lease(store, message_id))
    assert (endpoint.posted, store.zcard(keys.WEBHOOKS)) == ([], 0)


def test_a_worker_that_dies_in_the_call_leaves_the_webhook_to_be_found_again(
    store: redis.Redis, outbox: Webhooks, endpoint: Endpoint
) -> None:
    message_id = rested(store, endpoint.url)
    outbox.hold(_lease(store, message_id), now() + HOLD)
    assert outbox.due(now(), limit=9) == []
    assert [one.id for one in outbox.due(now() + HOLD, limit=9)] == [message_id]


def test_logs_name_the_endpoint_and_nothing_that_may_be_a_token(
    notify: Notify, store: redis.Redis, endpoint: Endpoint, logs: list[structlog.typing.EventDict]
) -> None:
    endpoint.answers.append((500, {}))
    message_id = rested(store, endpoint.url)
    notify(_lease(store, message_id))
    notify(_lease(store, message_id))
    assert [entry["event"] for entry in logs] == ["webhook_failed", "webhook_delivered"]
    assert {entry["endpoint"] for entry in logs} == {f"http://127.0.0.1:{endpoint.port}"}
    assert "hunter2" not in repr(logs)
    assert "hooks" not in repr([{**entry, "event": ""} for entry in logs])
