"""A message that comes the express way is answered as one that comes through Flask."""

import json
import socket
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.integration.nodes.gateway import TEMPLATE, Gateway, fresh_phone

GOOD: dict[str, Any] = {"to": "13800138000", "template": TEMPLATE, "params": {"code": "135790"}, "lane": "otp"}
# A way of writing it that is as valid, and not the one that is served by the express way.
THROUGH_FLASK = "application/json; charset=utf-8"
DIFFERENT = {"Date", "Location"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps(GOOD | {"lane": "fast"}), {}),
        (json.dumps(GOOD | {"to": "1"}), {}),
        (json.dumps([GOOD]), {}),
        ('{"to": "13800138000", "to": "13900139000"}', {}),
        ("no JSON", {}),
        ("", {}),
        (json.dumps(GOOD), {"Idempotency-Key": "no key"}),
        (json.dumps(GOOD), {"Authorization": "Bearer nonsense"}),
        (json.dumps(GOOD), {"Authorization": ""}),
    ],
)
def test_a_refusal_is_the_same_by_either_way(resting: Gateway, body: str, headers: dict[str, str]) -> None:
    express, flask = (_posted(resting, body, way, headers) for way in ("application/json", THROUGH_FLASK))

    assert 400 <= express.status_code < 500
    assert (express.status_code, express.text, _known(express)) == (flask.status_code, flask.text, _known(flask))


def test_an_acceptance_is_the_same_by_either_way(gateway: Gateway) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = json.dumps(GOOD | {"to": fresh_phone(), "reference": "订单-1001"}, ensure_ascii=False)

    first = _posted(gateway, body, "application/json", key)
    again, flask = (_posted(gateway, body, way, key) for way in ("application/json", THROUGH_FLASK))

    assert first.status_code == again.status_code == flask.status_code == 202
    assert first.headers["Location"] == flask.headers["Location"] == f"/v1/messages/{first.json()['id']}"
    assert first.json() == {**again.json(), "state": "queued"}
    assert first.json() == {**flask.json(), "state": "queued"}
    assert _known(again) == _known(flask)


def test_a_client_that_breaks_off_is_refused(resting: Gateway) -> None:
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {resting.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 90\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", resting.web.port), timeout=10) as client:
        client.sendall(f'{head}{{"to"'.encode())
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(10_000)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def _posted(gateway: Gateway, body: str, content_type: str, headers: dict[str, str]) -> requests.Response:
    given = {"Content-Type": content_type, **headers}
    key = None if "Authorization" in headers else gateway.key
    return gateway.web.ask("POST", "/v1/messages", key, data=body.encode(), headers=given)


def _known(answer: requests.Response) -> dict[str, str]:
    known = {name.title(): value for name, value in answer.headers.items()}
    return {name: value for name, value in known.items() if name not in {*DIFFERENT, "Content-Length"}}
