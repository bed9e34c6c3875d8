"""What the HTTP side refuses: a 4xx that names the field and the fix, never a 500, and nothing is queued."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.integration.nodes.gateway import QUEUES, TEMPLATE, Gateway, fresh_phone

GOOD = {"to": "13800138000", "template": TEMPLATE, "params": {"code": "135790"}}


@pytest.fixture(autouse=True)
def _nothing_is_queued(resting: Gateway) -> Iterator[None]:
    """Compare what Redis holds before and after each test of this module."""
    before = _held(resting)
    yield
    assert _held(resting) == before


def _held(gateway: Gateway) -> tuple[list[int], set[str]]:
    stored = {str(key) for key in gateway.redis.keys("*") if not str(key).startswith("_kombu")}
    return [int(gateway.redis.llen(queue)) for queue in QUEUES], stored


def _assert_problem(answer: requests.Response, status: int, *words: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:smsgate:problem:")
    for word in words:
        assert word in answer.text
    return problem


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer no", "Basic dTpw", "Bearer smsgate_0_0"])
def test_without_a_valid_key_nobody_gets_in(resting: Gateway, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    for method, path in (("POST", "/v1/messages"), ("GET", "/v1/messages/some-id")):
        answer = resting.web.ask(method, path, headers=headers, json=GOOD)

        _assert_problem(answer, 401, "Authorization", "smsgate keys create")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_with_another_secret_or_bytes_that_are_no_key_is_refused(resting: Gateway) -> None:
    wrong = f"{resting.key[:-4]}AAAA"

    _assert_problem(resting.web.ask("POST", "/v1/messages", wrong, json=GOOD), 401)
    _assert_problem(
        resting.web.ask("POST", "/v1/messages", json=GOOD, headers={"Authorization": b"Bearer \xe9\xff"}), 401
    )


FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"to": "12345"}, "to"),
    ({"to": 13800138000}, "to"),
    ({"to": None}, "to"),
    ({"to": ""}, "to"),
    ({"to": "1" * 5000}, "to"),
    ({"to": "+8610-62345678"}, "to"),
    ({"to": "13800138000,13800138001"}, "to"),
    ({"to": "１３８００１３８０００１２"}, "to"),
    ({"to": "\ud800"}, "to"),
    ({"template": "no template!"}, "template"),
    ({"template": 7}, "template"),
    ({"template": "SMS_1\n"}, "template"),
    ({"params": {"code": 135790}}, "params.code"),
    ({"params": {"code": None}}, "params.code"),
    ({"params": {"code": ["1"]}}, "params.code"),
    ({"params": {"code": "\udfff"}}, "params.code"),
    ({"params": {"code": "x" * 501}}, "params.code"),
    ({"params": {"code": "\x00"}}, "params.code"),
    ({"params": {"not a name": "1"}}, "params"),
    ({"params": {"\ud800": "1"}}, "params"),
    ({"params": {f"v{number}": "1" for number in range(33)}}, "params"),
    ({"params": "code=135790"}, "params"),
    ({"params": ["135790"]}, "params"),
    ({"lane": "soon"}, "lane"),
    ({"lane": 1}, "lane"),
    ({"lane": ["otp"]}, "lane"),
    ({"valid_for": 0}, "valid_for"),
    ({"valid_for": -1}, "valid_for"),
    ({"valid_for": 10**30}, "valid_for"),
    ({"valid_for": 1.5}, "valid_for"),
    ({"valid_for": "60"}, "valid_for"),
    ({"valid_for": True}, "valid_for"),
    ({"on_uncertain": "guess"}, "on_uncertain"),
    ({"sign": ""}, "sign"),
    ({"sign": "a\nb"}, "sign"),
    ({"reference": "x" * 129}, "reference"),
    ({"reference": "\ud83d"}, "reference"),
    ({"colour": "red"}, "colour"),
    ({"\udc00": "red"}, "message"),
    ({"id": "my-own"}, "id"),
]


@pytest.mark.parametrize(("change", "field"), FIELDS, ids=[ascii(change)[:60] for change, _ in FIELDS])
def test_a_field_that_breaks_a_rule_is_named_with_its_fix(resting: Gateway, change: dict[str, Any], field: str) -> None:
    answer = resting.post({**GOOD, **change})

    problem = _assert_problem(answer, 422)
    (error,) = problem["errors"]
    assert error["field"].startswith(field)
    assert len(error["message"]) > 10
    assert "Error" not in error["message"]


def test_every_field_that_breaks_a_rule_is_named_at_once(resting: Gateway) -> None:
    problem = _assert_problem(resting.post({"params": {"code": 1}, "lane": "soon", "colour": "red"}), 422)

    assert {error["field"] for error in problem["errors"]} == {"to", "template", "params.code", "lane", "colour"}


@pytest.mark.parametrize("field", ["to", "template"])
def test_a_missing_field_is_named(resting: Gateway, field: str) -> None:
    problem = _assert_problem(resting.post({name: value for name, value in GOOD.items() if name != field}), 422)

    assert problem["errors"] == [{"field": field, "message": "is required"}]


def test_a_refusal_repeats_neither_number_nor_code(resting: Gateway) -> None:
    answer = resting.post({"to": "138001380009", "template": "?", "params": {"code": 8642097}, "lane": "Zq7Xw9"})

    assert "138001380009" not in answer.text
    assert "8642097" not in answer.text


_TEXT = json.dumps(GOOD)
BODIES: list[tuple[bytes, str]] = [
    (b"", "body"),
    (b"{", "body"),
    (b"to=13800138000", "body"),
    (b"null", "object"),
    (b"[]", "object"),
    (f"[{_TEXT}]".encode(), "object"),
    (b'"text"', "object"),
    (b"1", "object"),
    (b"NaN", "body"),
    (_TEXT.replace("}}", '}, "valid_for": NaN}').encode(), "body"),
    (_TEXT.replace("}}", '}, "valid_for": -Infinity}').encode(), "body"),
    (_TEXT.replace('"135790"', '"\xff"').encode("latin-1"), "UTF-8"),
    (_TEXT.encode("utf-16"), "UTF-8"),
    (b"\xef\xbb\xbf" + _TEXT.encode(), "body"),
    (_TEXT.replace('{"to"', '{"to": "13900000000", "to"').encode(), "to: is given twice"),
    (_TEXT.replace('{"code"', '{"code": "1", "code"').encode(), "code: is given twice"),
    (b'{"\\ud800": 1, "\\ud800": 2}', "is given twice"),
    (b'{"params": ' * 900 + b"1" + b"}" * 900, ""),
    (b"[" * 60_000, "body"),
    (b'{"a":' * 10_000, "body"),
    (_TEXT.replace("}}", '}, "valid_for": ' + "9" * 5000 + "}").encode(), ""),
    (_TEXT.encode() + b"{}", "body"),
]


@pytest.mark.parametrize(("body", "word"), BODIES, ids=[str(body[:40]) for body, _ in BODIES])
def test_a_body_that_is_no_strict_json_object_is_refused(resting: Gateway, body: bytes, word: str) -> None:
    answer = resting.web.ask(
        "POST", "/v1/messages", resting.key, data=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in (400, 422), answer.text
    _assert_problem(answer, answer.status_code, word)


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "rubbish"],
)
def test_another_content_type_is_refused(resting: Gateway, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    answer = resting.web.ask("POST", "/v1/messages", resting.key, data=_TEXT.encode(), headers=headers)

    _assert_problem(answer, 415, "Content-Type", "application/json")


def test_a_body_over_the_limit_is_refused(resting: Gateway) -> None:
    body = json.dumps({**GOOD, "reference": "x" * 70_000})

    _assert_problem(
        resting.web.ask("POST", "/v1/messages", resting.key, data=body, headers={"Content-Type": "application/json"}),
        413,
        "body",
    )


def _raw(gateway: Gateway, request: bytes) -> tuple[int, bytes]:
    """Speak HTTP by hand; gives status and body."""
    with socket.create_connection(("127.0.0.1", gateway.web.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


def _chunked(gateway: Gateway, *chunks: bytes, headers: bytes = b"") -> bytes:
    head = (
        b"POST /v1/messages HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nAuthorization: Bearer " + gateway.key.encode() + b"\r\n" + headers + b"\r\n"
    )
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def test_a_body_over_the_limit_is_refused_without_a_content_length(resting: Gateway) -> None:
    status, body = _raw(resting, _chunked(resting, b'{"reference": "', *([b"x" * 8192] * 20), b'"}'))

    assert status == 413
    assert json.loads(body)["type"] == "urn:smsgate:problem:body-too-large"


def test_a_chunked_body_is_read_whole(resting: Gateway) -> None:
    bad = json.dumps({**GOOD, "to": "12345"}).encode()

    status, body = _raw(resting, _chunked(resting, bad[:10], bad[10:]))

    assert status == 422
    assert json.loads(body)["errors"][0]["field"] == "to"


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "schlüssel", "tab\there"])
def test_a_bad_idempotency_key_is_refused(resting: Gateway, key: str) -> None:
    answer = resting.web.ask(
        "POST", "/v1/messages", resting.key, json=GOOD, headers={"Idempotency-Key": key.encode("latin-1")}
    )

    _assert_problem(answer, 400, "Idempotency-Key", "printable ASCII")


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/messages/", "/nothing", "/v1/messages/x/y"])
def test_what_is_not_there_is_a_problem_too(resting: Gateway, path: str) -> None:
    _assert_problem(resting.web.ask("GET", path, resting.key), 404)


def test_another_method_is_a_problem_that_says_which_it_takes(resting: Gateway) -> None:
    answer = resting.web.ask("PUT", "/v1/messages", resting.key, json=GOOD)

    _assert_problem(answer, 405)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("message_id", ["none", "x" * 64, "x" * 65, "a%20b", "a%00b", "%C3%A9", "..", "a*"])
def test_an_id_that_is_no_messages_is_404(resting: Gateway, message_id: str) -> None:
    assert resting.web.ask("GET", f"/v1/messages/{message_id}", resting.key).status_code == 404


def test_another_clients_message_is_404(gateway: Gateway) -> None:
    message_id = gateway.send(fresh_phone())
    stranger = gateway.new_key("stranger")

    answer = gateway.web.ask("GET", f"/v1/messages/{message_id}", stranger)

    _assert_problem(answer, 404, "no such message")
    assert gateway.show(message_id)["id"] == message_id
