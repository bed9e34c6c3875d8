"""Verified by the specification's own library, not by ours."""

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from smsgate.webhooks.signature import new_secret, sign

BODY = '{"type":"message.delivered","data":{"sign":"阿里云"}}'.encode()


def _signed(*valid: str, at: int | None = None) -> dict[str, str]:
    return sign(BODY, webhook_id="m1-4", at=at or int(time.time()), valid=valid)


def test_a_receiver_verifies_with_the_standard_library_of_the_scheme() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, _signed(secret))["type"] == "message.delivered"


def test_while_a_secret_is_rotated_a_receiver_may_know_either() -> None:
    new, old = new_secret(), new_secret()
    for known in (new, old):
        Webhook(known).verify(BODY, _signed(new, old))


def test_a_strangers_secret_does_not_verify() -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, _signed(new_secret()))


def test_a_changed_body_does_not_verify() -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", _signed(secret))


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp"])
def test_a_changed_header_does_not_verify(changed: str) -> None:
    secret = new_secret()
    headers = _signed(secret)
    headers[changed] = str(int(time.time()) - 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers)


def test_a_webhook_that_is_played_again_later_is_too_old() -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(BODY, _signed(secret, at=int(time.time()) - 400))


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    """As published with the specification's reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = sign(b'{"test": 2432232314}', webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, valid=[secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_never_the_same() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
