from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from smsgate.ledger.webhook_secrets import WebhookSecrets
from smsgate.webhooks.signature import new_secret


@pytest.fixture
def secrets(store: redis.Redis) -> WebhookSecrets:
    return WebhookSecrets(store, new_secret)


def test_the_first_secret_makes_itself_and_stays(secrets: WebhookSecrets) -> None:
    first = secrets.valid("acme")
    assert len(first) == 1
    assert first[0].startswith("whsec_")
    assert secrets.valid("acme") == first


def test_many_who_need_the_first_secret_at_once_get_the_same(secrets: WebhookSecrets) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: tuple(secrets.valid("acme")), range(8)))
    assert len(set(got)) == 1


def test_a_rotation_keeps_the_previous_secret_valid_and_no_older_one(secrets: WebhookSecrets) -> None:
    (first,) = secrets.valid("acme")
    second, kept = secrets.rotate("acme")
    assert kept == first
    third, kept = secrets.rotate("acme")
    assert kept == second
    assert secrets.valid("acme") == [third, second]


def test_the_previous_secret_can_be_dropped(secrets: WebhookSecrets) -> None:
    secrets.valid("acme")
    newest, _ = secrets.rotate("acme")
    secrets.drop_previous("acme")
    assert secrets.valid("acme") == [newest]


def test_clients_have_secrets_of_their_own(secrets: WebhookSecrets) -> None:
    assert len({*secrets.valid("acme"), *secrets.valid("other"), *secrets.valid("")}) == 3
