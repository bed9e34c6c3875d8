"""The same request twice is one message."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import requests

from tests.integration.nodes.gateway import TEMPLATE, Gateway, fresh_phone


def _body(phone: str, **other: Any) -> dict[str, Any]:
    return {"to": phone, "template": TEMPLATE, "params": {"code": "135790"}, "lane": "otp", **other}


def test_the_same_key_and_body_are_one_message_with_the_same_id(gateway: Gateway) -> None:
    phone, key = fresh_phone(), str(uuid4())

    first = gateway.post(_body(phone), Idempotency_Key=key)
    gateway.until_state(first.json()["id"], "delivered")
    second = gateway.post(_body(f"+86{phone}"), Idempotency_Key=key)

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["state"] == "delivered"
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    gateway.until_idle()
    assert len(gateway.sandbox.messages(phone=phone)) == 1


def test_twenty_requests_at_once_with_one_key_are_one_message(gateway: Gateway) -> None:
    phone, key = fresh_phone(), str(uuid4())

    def post(_number: int) -> requests.Response:
        return requests.request(
            "POST",
            f"{gateway.web.url}/v1/messages",
            json=_body(phone),
            headers={"Authorization": f"Bearer {gateway.key}", "Idempotency-Key": key},
            timeout=10,
            proxies={"http": ""},
        )

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(20)))

    assert {answer.status_code for answer in answers} == {202}
    (message_id,) = {answer.json()["id"] for answer in answers}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    gateway.until_state(message_id, "delivered")
    gateway.until_idle()
    assert len(gateway.sandbox.messages(phone=phone)) == 1


def test_the_same_key_with_another_body_is_a_conflict(gateway: Gateway) -> None:
    phone, key = fresh_phone(), str(uuid4())
    first = gateway.post(_body(phone), Idempotency_Key=key)

    for other in (_body(fresh_phone()), _body(phone, lane="bulk"), _body(phone, params={"code": "135791"})):
        answer = gateway.post(other, Idempotency_Key=key)

        assert answer.status_code == 409
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "Idempotency-Key" in answer.json()["detail"]
    gateway.until_state(first.json()["id"], "delivered")
    assert len(gateway.sandbox.messages(phone=phone)) == 1


def test_another_client_may_use_the_same_key(gateway: Gateway) -> None:
    phone, key = fresh_phone(), str(uuid4())

    mine = gateway.post(_body(phone), Idempotency_Key=key)
    theirs = gateway.post(_body(phone), key=gateway.new_key("another-client"), Idempotency_Key=key)

    assert (mine.status_code, theirs.status_code) == (202, 202)
    assert mine.json()["id"] != theirs.json()["id"]


def test_without_a_key_the_same_body_twice_is_two_messages(gateway: Gateway) -> None:
    phone = fresh_phone()

    ids = [gateway.send(phone) for _ in range(2)]

    for message_id in ids:
        gateway.until_state(message_id, "delivered")
    assert len(gateway.sandbox.messages(phone=phone)) == 2


def test_the_keys_of_one_client_share_their_idempotency_keys(gateway: Gateway) -> None:
    phone, key, name = fresh_phone(), str(uuid4()), f"client-{uuid4().hex[:8]}"

    ids = {gateway.post(_body(phone), key=gateway.new_key(name), Idempotency_Key=key).json()["id"] for _ in range(2)}

    assert len(ids) == 1
