"""A client is told of the end of its message, whichever it is, from acceptance to webhook."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.integration.nodes.gateway import Gateway, fresh_phone
from tests.integration.nodes.until import until
from tests.integration.webhooks.endpoint import Endpoint, serving


def _told(gateway: Gateway, endpoint: Endpoint, client: str = "tests") -> dict[str, Any]:
    until(lambda: endpoint.posted, "the client is told", within=40)
    done = gateway.run("smsgate", "webhooks", "secret", client, SMSGATE_REDIS_URL=gateway.redis_url)
    assert done.returncode == 0, done.stderr
    posted = endpoint.posted[-1]
    told: dict[str, Any] = Webhook(done.stdout.split()[0]).verify(posted.body, posted.headers)
    return told


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (None, "delivered"),
        ({"kind": "undeliverable"}, "undelivered"),
        ({"kind": "business_error", "code": "isv.BLACK_KEY_CONTROL_LIMIT"}, "failed"),
        ({"kind": "business_error", "code": "isv.OUT_OF_SERVICE"}, "dead"),
    ],
)
def test_a_client_is_told_how_its_message_ended(tended: Gateway, fault: dict[str, Any] | None, end: str) -> None:
    phone = fresh_phone()
    if fault:
        tended.sandbox.fault(**fault, match={"phone": phone})
    with serving() as endpoint:
        message_id = tended.send(phone, callback_url=endpoint.url)
        told = _told(tended, endpoint)
    assert told["type"] == f"message.{end}"
    assert (told["data"]["id"], told["data"]["state"]) == (message_id, end)
    assert phone not in str(told)


def test_a_client_is_told_that_its_message_was_called_back(tended: Gateway) -> None:
    with serving() as endpoint:
        at = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
        message_id = tended.send(send_at=at, callback_url=endpoint.url)
        assert tended.web.ask("DELETE", f"/v1/messages/{message_id}", tended.key).status_code == 200
        assert _told(tended, endpoint)["type"] == "message.cancelled"


def test_a_message_without_an_address_tells_nobody(tended: Gateway) -> None:
    message_id = tended.send()
    tended.until_state(message_id, "delivered")
    assert tended.redis.zscore("sms:webhooks", message_id) is None
