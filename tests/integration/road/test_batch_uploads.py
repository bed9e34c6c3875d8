"""Uploads of batches that a real web process must not be harmed by, nor misled."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.integration.nodes.gateway import Gateway, fresh_phone
from tests.integration.nodes.until import until

TEMPLATE = "SMS_200000002"
NDJSON, CSV = "application/x-ndjson", "text/csv"
BAD = json.dumps({"to": "12345"}).encode() + b"\n"


def _post(gateway: Gateway, body: bytes, media: str = NDJSON, **headers: str) -> requests.Response:
    query = "" if media == "application/json" else f"?template={TEMPLATE}"
    named = {"Content-Type": media, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return gateway.web.ask("POST", f"/v1/batches{query}", gateway.key, data=body, headers=named)


def _lines(count: int) -> bytes:
    return b"".join(json.dumps({"to": fresh_phone()}).encode() + b"\n" for _ in range(count))


def _table(count: int) -> bytes:
    return b"to,discount\n" + b"".join(f"{fresh_phone()},{place + 100}\n".encode() for place in range(count))


@contextmanager
def _begun(gateway: Gateway, body: bytes, media: str, framing: str, key: str) -> Iterator[socket.socket]:
    """Send the head of a request and this much of its body."""
    head = (
        f"POST /v1/batches?template={TEMPLATE} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {gateway.key}\r\n"
        f"Content-Type: {media}\r\nIdempotency-Key: {key}\r\n{framing}\r\n\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", gateway.web.port), timeout=10)) as connection:
        connection.sendall(head.encode() + body)
        yield connection


def _batches(gateway: Gateway) -> set[str]:
    return {name.removeprefix("sms:batch:") for name in gateway.redis.scan_iter("sms:batch:*", count=1000)}


def _report(gateway: Gateway, batch: str) -> dict[str, Any]:
    answer = gateway.web.ask("GET", f"/v1/batches/{batch}", gateway.key)
    assert answer.ok, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("media", [NDJSON, CSV])
def test_a_connection_that_breaks_within_a_row_is_no_end_of_a_batch(
    resting: Gateway, media: str, chunked: bool
) -> None:
    body, key, before = _table(20) if media == CSV else _lines(20), str(uuid4()), _batches(resting)
    half = body[: body.rindex(b"\n", 0, -1) + 14]  # the row behind is one too, with other text
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    sent = f"{len(half):x}\r\n".encode() + half + b"\r\n" if chunked else half
    with _begun(resting, sent, media, framing, key):
        until(lambda: _batches(resting) - before, "the batch has begun")
    (batch,) = _batches(resting) - before
    until(lambda: _report(resting, batch)["accepted"] == 19, "what came in whole is accepted")
    assert _report(resting, batch)["status"] == "receiving"
    answer = _post(resting, body, media, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["id"], answer.json()["accepted"]) == (202, batch, 20)
    assert _report(resting, batch)["status"] == "open"


def test_a_slow_upload_holds_up_nobody_and_its_rows_do_not_wait_for_its_end(resting: Gateway) -> None:
    before, body = _batches(resting), _lines(30)
    with ExitStack() as stack:
        slow = [
            stack.enter_context(_begun(resting, b"", NDJSON, f"Content-Length: {len(body)}", str(uuid4())))
            for _ in range(4)
        ]
        until(lambda: len(_batches(resting) - before) == 4, "all are read")
        assert resting.web.ask("GET", "/healthz").ok
        assert resting.post({"to": fresh_phone(), "template": TEMPLATE}).status_code == 202
        refused = _post(resting, body)
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        assert refused.json()["type"] == "urn:smsgate:problem:uploads-busy"
        slow[0].sendall(body)
        assert slow[0].recv(100).startswith(b"HTTP/1.1 202")
    until(lambda: _post(resting, body).status_code == 202, "there is room again")


@pytest.mark.parametrize("media", [NDJSON, CSV])
def test_rows_that_trickle_in_do_not_wait_for_thousands_of_others(resting: Gateway, media: str) -> None:
    before, body = _batches(resting), _lines(1000) if media == NDJSON else _table(1000)
    with _begun(resting, b"", media, f"Content-Length: {len(body)}", str(uuid4())) as slow:
        for start in range(0, 1500, 100):
            slow.sendall(body[start : start + 100])
            time.sleep(0.15)
        (batch,) = _batches(resting) - before
        assert _report(resting, batch)["accepted"] >= 5


def test_a_refusal_comes_through_although_the_body_is_still_on_its_way(resting: Gateway) -> None:
    long = b" " * 30_000_000
    assert resting.web.ask("POST", "/v1/batches", data=long, headers={"Content-Type": CSV}).status_code == 401
    assert _post(resting, long, "text/plain").status_code == 415
    assert _post(resting, b'{"template": "T", "messages": [x' + long, "application/json").status_code == 400


def test_rows_without_end_or_with_thousands_of_fields_do_not_swell_the_web_process(resting: Gateway) -> None:
    many = json.dumps({f"field{place}": 1 for place in range(4000)}).encode() + b"\n"
    heavy = json.dumps({"to": fresh_phone(), "params": {f"p{place}": "\u0001" * 300 for place in range(32)}}).encode()
    for body, media in (
        (many * 300, NDJSON),
        (b"to,name\n" + b"," * 30_000_000, CSV),
        (b"to,name\n" + b'1,"' + b"x\n" * 15_000_000, CSV),
        (b'{"template": "T", "messages": [' + b"[" * 30_000_000, "application/json"),
        (b'{"template": "T", "messages": [{"to": "' + b"x" * 30_000_000, "application/json"),
        (b'{"template": "' + b"x" * 30_000_000, "application/json"),
        (b"x" * 30_000_000, NDJSON),
        ((heavy + b"\n") * 400, NDJSON),
    ):
        answer = _post(resting, body, media)
        assert answer.status_code in (202, 400, 422), answer.text[:500]
        assert len(answer.content) < 200_000
    assert _most_memory(resting) < 150


def _most_memory(gateway: Gateway) -> int:
    """Tell the most memory, in MB, that one of the web's processes ever had."""
    leader = gateway.web.process.pid
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    found = [re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text()) for one in children]
    return max(int(one[1]) for one in found if one) // 1024


def test_what_stands_behind_the_rows_calls_the_batch_back(resting: Gateway) -> None:
    rows = [{"to": fresh_phone()} for _ in range(700)]
    body = json.dumps({"template": TEMPLATE, "messages": rows, "send_at": "2030-01-01T00:00:00Z"}).encode()
    answer = _post(resting, body, "application/json")
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:smsgate:problem:upload-withdrawn"
    assert "send_at: must stand before messages" in answer.json()["detail"]
    assert _report(resting, answer.json()["id"])["status"] == "cancelled"
    late = _post(resting, json.dumps({"messages": rows, "template": TEMPLATE}).encode(), "application/json")
    assert late.json()["errors"] == [{"field": "template", "message": "is required, before messages"}]


def test_what_stands_behind_the_rows_of_a_batch_that_is_there_already_does_not_say_that_nothing_goes(
    resting: Gateway,
) -> None:
    rows, key = [{"to": fresh_phone()} for _ in range(3)], str(uuid4())
    whole = json.dumps({"template": TEMPLATE, "messages": rows}).encode()
    batch = _post(resting, whole, "application/json", Idempotency_Key=key).json()["id"]
    longer = whole[:-1] + b', "send_at": "2030-01-01T00:00:00Z"}'
    answer = _post(resting, longer, "application/json", Idempotency_Key=key)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:smsgate:problem:upload-broken")
    assert "send_at: must stand before messages" in answer.json()["detail"]
    assert "Nothing of this batch goes out" not in answer.json()["detail"]
    assert _report(resting, batch)["status"] == "open"


def test_numbers_of_thousands_of_digits_in_a_query_are_refused_like_any_other(resting: Gateway) -> None:
    digits, batch = "9" * 5000, _post(resting, _lines(1)).json()["id"]
    for query in (f"cursor={digits}", f"limit={digits}"):
        answer = resting.web.ask("GET", f"/v1/batches/{batch}/messages?{query}", resting.key)
        assert answer.status_code == 422, answer.text
    path = f"/v1/batches?template={TEMPLATE}&valid_for={digits}"
    answer = resting.web.ask("POST", path, resting.key, data=_lines(1), headers={"Content-Type": NDJSON})
    assert (answer.status_code, "valid_for" in answer.text) == (422, True)


def test_a_refused_upload_says_which_rows_but_no_number_and_no_text_neither_there_nor_in_the_log(
    resting: Gateway,
) -> None:
    phone, key = fresh_phone(), str(uuid4())
    good = json.dumps({"to": phone, "params": {"code": "Qx9Secret"}}).encode() + b"\n"
    other = good.replace(b"Qx9Secret", b"Qy9Secret")
    bad = b'{"to": "0%s", "params": {"code": 7}, "reference": ""}\n' % phone.encode()
    answers = [
        _post(resting, good + bad, Idempotency_Key=key),
        _post(resting, other, Idempotency_Key=key),
        _post(resting, f"to,code\n{phone},Qx9Secret\n{phone},Qx9\xff\n".encode("latin-1"), CSV),
        _post(resting, b'{"template": "T", "messages": [' + good + b'"' + phone.encode(), "application/json"),
    ]
    assert [one.status_code for one in answers] == [202, 409, 400, 400]
    for text in (*(one.text for one in answers), resting.web.logs()):
        assert phone not in text
        assert "9Secret" not in text


def _counts(gateway: Gateway, batch: str) -> tuple[int, int, int]:
    told = _report(gateway, batch)
    return told["received"], told["accepted"], told["rejected"]


def _note(gateway: Gateway, batch: str) -> str:
    return str(gateway.redis.hget(f"sms:batch:{batch}", "received_at"))


def test_a_line_that_hangs_and_ends_after_the_same_upload_came_in_whole(resting: Gateway) -> None:
    good = _lines(20)
    body, key, before = good + BAD, str(uuid4()), _batches(resting)
    with _begun(resting, body[: len(good) // 2], NDJSON, f"Content-Length: {len(body)}", key):
        until(lambda: _batches(resting) - before, "the batch has begun")
        (batch,) = _batches(resting) - before
        assert _post(resting, body, NDJSON, Idempotency_Key=key).json()["rejected_count"] == 1
        assert _counts(resting, batch) == (21, 20, 1)
        noted = _note(resting, batch)
    until(lambda: _note(resting, batch) != noted, "the end of the first line was seen")
    assert _counts(resting, batch) == (21, 20, 1)


def test_a_batch_that_came_in_whole_and_is_sent_again_over_a_line_that_breaks(resting: Gateway) -> None:
    good = _lines(20)
    body, key = good + BAD, str(uuid4())
    batch = _post(resting, body, NDJSON, Idempotency_Key=key).json()["id"]
    assert _counts(resting, batch) == (21, 20, 1)
    noted = _note(resting, batch)
    with _begun(resting, body[: len(good) // 2], NDJSON, f"Content-Length: {len(body)}", key):
        pass
    until(lambda: _note(resting, batch) != noted, "the broken upload was seen")
    assert _counts(resting, batch) == (21, 20, 1)
