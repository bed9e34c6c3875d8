"""Batches over HTTP, through real workers, to the phones."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import requests

from tests.integration.nodes.gateway import Gateway, fresh_phone, states
from tests.integration.nodes.until import until

TEMPLATE = "SMS_200000002"


def _row(phone: str, discount: str = "8", **more: Any) -> dict[str, Any]:
    return {"to": phone, "params": {"name": "王先生", "discount": discount}, **more}


def _order(phone: str) -> dict[str, Any]:
    return {"to": phone, "params": {"name": "王先生", "order": "1001", "date": "明天"}}


def _post(
    gateway: Gateway, body: Any, media: str = "application/json", query: str = "", **headers: str
) -> requests.Response:
    data = json.dumps(body) if media == "application/json" else body
    named = {"Content-Type": media, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return gateway.web.ask("POST", f"/v1/batches{query}", gateway.key, data=data, headers=named)


def _ask(gateway: Gateway, method: str, path: str) -> dict[str, Any]:
    answer = gateway.web.ask(method, f"/v1/batches/{path}", gateway.key)
    assert answer.ok, answer.text
    return dict(answer.json())


def _until_counts(gateway: Gateway, batch: str, within: float = 60, **counts: int) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def is_so() -> bool:
        seen.update(_ask(gateway, "GET", batch))
        return bool(seen["counts"] == counts)

    try:
        until(is_so, f"the batch counts {counts}", within)
    except AssertionError as error:
        raise AssertionError(f"{error}: {seen}") from None
    return seen


def test_a_batch_reaches_every_phone_with_its_own_text_and_each_row_has_its_own_life(tended: Gateway) -> None:
    phones = [fresh_phone() for _ in range(250)]
    answer = _post(
        tended,
        {"template": TEMPLATE, "messages": [_row(phone, str(place % 9 + 1)) for place, phone in enumerate(phones)]},
    )
    assert answer.status_code == 202, answer.text
    batch = answer.json()["id"]
    assert answer.json() == {"id": batch, "received": 250, "accepted": 250, "rejected_count": 0, "rejected": []}
    assert answer.headers["Location"] == f"/v1/batches/{batch}"
    known = _until_counts(tended, batch, delivered=250)
    assert (known["status"], known["lane"], known["accepted"]) == ("done", "bulk", 250)
    for place, phone in enumerate(phones):
        (received,) = tended.sandbox.messages(phone=phone)
        assert f"会员日全场{place % 9 + 1}折" in received["text"]
    row = tended.show(f"{batch}-7")
    assert states(row) == ["queued", "sending", "sent", "delivered"]
    chunks = {event["chunk"] for place in range(250) for event in tended.show(f"{batch}-{place}")["timeline"][1:2]}
    assert 3 <= len(chunks) <= 12


def test_rows_that_are_no_messages_are_named_and_the_others_go(tended: Gateway) -> None:
    rows: list[Any] = [_row(fresh_phone()), _row("12345"), "nonsense", {"to": fresh_phone(), "colour": "red"}, {}]
    answer = _post(tended, {"template": TEMPLATE, "messages": rows}).json()
    assert (answer["received"], answer["accepted"], answer["rejected_count"]) == (5, 1, 4)
    told = {one["index"]: [error["field"] for error in one["errors"]] for one in answer["rejected"]}
    assert told == {1: ["to"], 2: ["row"], 3: ["colour"], 4: ["to"]}
    _until_counts(tended, answer["id"], delivered=1)


def test_a_column_that_is_misspelt_fails_every_row_for_two_calls_a_hundred(tended: Gateway) -> None:
    def refused() -> int:
        calls = tended.sandbox.stats()["requests"]["by_action"]
        return sum(endings.get("isv.TEMPLATE_MISSING_PARAMETERS", 0) for endings in calls.values())

    before = refused()
    rows = "".join(f"{fresh_phone()},王先生,8\n" for _ in range(100))
    batch = _post(tended, f"to,nmae,discount\n{rows}".encode(), "text/csv", f"?template={TEMPLATE}").json()["id"]
    _until_counts(tended, batch, failed=100)
    assert tended.show(f"{batch}-99")["reason"] == "isv.TEMPLATE_MISSING_PARAMETERS"
    # The rows may leave as two chunks while they come in, or three.
    assert refused() - before <= 6


def test_ndjson_and_csv_say_the_same(tended: Gateway) -> None:
    one, two, three, four = (fresh_phone() for _ in range(4))
    lines = "\n".join(json.dumps(_row(phone, reference="r")) for phone in (one, two))
    table = f'\ufeffto,name,discount,reference\r\n{three},王先生,8,r\r\n{four},"李,女士",7,\r\n'
    query = f"?template={TEMPLATE}&valid_for=3600"
    for body, media in ((lines, "application/x-ndjson"), (table, "text/csv")):
        answer = _post(tended, body.encode(), media, query)
        assert (answer.status_code, answer.json()["accepted"]) == (202, 2), answer.text
        _until_counts(tended, answer.json()["id"], delivered=2)
    assert "李,女士" in tended.sandbox.messages(phone=four)[0]["text"]
    assert "王先生" in tended.sandbox.messages(phone=one)[0]["text"]


def test_an_upload_that_broke_off_goes_on_with_the_same_key_and_sends_nothing_twice(tended: Gateway) -> None:
    phones = [fresh_phone() for _ in range(1200)]
    key = str(uuid4())
    body = json.dumps({"template": TEMPLATE, "messages": [_row(phone) for phone in phones]})
    broken = _post_raw(tended, body[: len(body) // 2], key)
    assert broken.status_code == 400
    told = broken.json()
    assert 500 <= told["accepted"] < 1200
    assert "same Idempotency-Key" in told["detail"]
    whole = _post_raw(tended, body, key)
    assert (whole.status_code, whole.json()["accepted"], whole.json()["id"]) == (202, 1200, told["id"])
    _until_counts(tended, told["id"], delivered=1200, within=90)
    assert Counter(len(tended.sandbox.messages(phone=phone)) for phone in phones[::50]) == {1: 24}
    again = _post_raw(tended, body, key)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    other = _post_raw(tended, body.replace(phones[3], fresh_phone()), key)
    assert (other.status_code, "messages.3" in other.json()["detail"]) == (409, True)


def _post_raw(gateway: Gateway, body: str, key: str) -> requests.Response:
    """Send a body in chunks, as a client does that reads it from somewhere."""

    def pieces() -> Iterator[bytes]:
        raw = body.encode()
        for start in range(0, len(raw), 10_000):
            yield raw[start : start + 10_000]

    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return gateway.web.ask("POST", "/v1/batches", gateway.key, data=pieces(), headers=headers)


def test_a_paused_batch_stands_still_goes_on_and_can_be_called_back(tended: Gateway) -> None:
    tended.sandbox.fault(kind="latency", ms=300, match={"template": TEMPLATE})
    phones = [fresh_phone() for _ in range(3000)]
    answer = _post(tended, {"template": TEMPLATE, "messages": [_row(phone) for phone in phones]}).json()
    batch = answer["id"]
    assert _ask(tended, "POST", f"{batch}/pause")["status"] == "paused"
    until(lambda: "sending" not in _ask(tended, "GET", batch)["counts"], "what was in hand is sent")
    standing = _ask(tended, "GET", batch)["counts"]
    other = _post(tended, {"template": "SMS_200000001", "messages": [_order(fresh_phone())]}).json()["id"]
    _until_counts(tended, other, delivered=1)  # so the lane has been looked after, and goes on
    assert _ask(tended, "GET", batch)["counts"]["queued"] == standing["queued"] > 0
    assert _ask(tended, "POST", f"{batch}/resume")["status"] == "open"
    until(lambda: _ask(tended, "GET", batch)["counts"].get("queued", 0) < standing["queued"], "it goes on")
    assert _ask(tended, "POST", f"{batch}/cancel")["status"] == "cancelled"
    assert tended.web.ask("POST", f"/v1/batches/{batch}/resume", tended.key).status_code == 409
    tended.sandbox.clear_faults()
    until(lambda: set(_ask(tended, "GET", batch)["counts"]) == {"delivered", "cancelled"}, "every row is at its end")
    counts = _ask(tended, "GET", batch)["counts"]
    assert counts["cancelled"] > 500
    assert sum(counts.values()) == 3000
    page = _ask(tended, "GET", f"{batch}/messages?state=cancelled&limit=1000&cursor=2000")
    assert all(row["state"] == "cancelled" for row in page["messages"])


def test_a_batch_is_its_clients_own(tended: Gateway) -> None:
    batch = _post(tended, {"template": TEMPLATE, "messages": [_row(fresh_phone())]}).json()["id"]
    other = tended.new_key("other")
    for method, path in (("GET", batch), ("GET", f"{batch}/messages"), ("POST", f"{batch}/cancel")):
        assert tended.web.ask(method, f"/v1/batches/{path}", other).status_code == 404


def test_what_is_no_batch_is_refused_with_the_field_and_the_fix(tended: Gateway) -> None:
    row = json.dumps(_row(fresh_phone()))
    bad = [
        ("[]", "application/json", "", "body", 422),
        ("{}", "application/json", "", "messages", 422),
        (f'{{"template": "T", "messages": {row}}}', "application/json", "", "messages", 422),
        (f'{{"messages": [{row}]}}', "application/json", "", "template", 422),
        (f'{{"template": "T", "colour": 1, "messages": [{row}]}}', "application/json", "", "colour", 422),
        (f'{{"template": "T", "messages": [{row}], "lane": "otp"}}', "application/json", "", "lane", 400),
        ('{"template": "T", "messages": []}', "application/json", "", "messages", 422),
        ("phone\n1", "text/csv", f"?template={TEMPLATE}", "such as to,name,order. Nothing was accepted", 400),
        ("to\n1", "text/csv", f"?template={TEMPLATE}&send_at=2026-12-24T18:00:00+08:00", "send_at", 422),
        ("to\n1", "text/csv", f"?template={TEMPLATE}&send_at=2026-12-24T18:00:00+08:00", "write its + as %2B", 422),
        (r'{"template": "T", "messages": [{"to": "\ud800"}]}', "application/json", "", "is not a phone number", 422),
        (r'{"template": "T", "messages": [], "\ud800": 1}', "application/json", "", r"\\ud800: must stand before", 400),
        (row, "application/x-ndjson", "", "template", 422),
        (row, "text/plain", "", "Content-Type", 415),
    ]
    for body, media, query, field, status in bad:
        answer = _post(tended, body.encode(), media, query) if media != "application/json" else _raw(tended, body)
        assert answer.status_code == status, (body, answer.text)
        assert field in answer.text, (body, answer.text)


def _raw(gateway: Gateway, body: str) -> requests.Response:
    headers = {"Content-Type": "application/json"}
    return gateway.web.ask("POST", "/v1/batches", gateway.key, data=body.encode(), headers=headers)


def test_a_code_that_many_get_at_once_goes_in_the_lane_of_codes(tended: Gateway) -> None:
    answer = _post(tended, {"template": TEMPLATE, "lane": "otp", "messages": [_row(fresh_phone()) for _ in range(3)]})
    assert _until_counts(tended, answer.json()["id"], delivered=3)["lane"] == "otp"


def test_a_worker_killed_in_the_middle_of_a_batch_loses_none_and_sends_none_twice(gathering: Gateway) -> None:
    assert gathering.worker is not None
    gathering.sandbox.fault(kind="latency", ms=700, match={"template": TEMPLATE})
    phones = [fresh_phone() for _ in range(1500)]
    answer = _post(gathering, {"template": TEMPLATE, "messages": [_row(phone) for phone in phones]}).json()
    until(
        lambda: {"sending", "delivered"} <= _ask(gathering, "GET", answer["id"])["counts"].keys(),
        "some are out, and others on their way",
    )
    gathering.worker.process.kill()
    gathering.worker.process.start()
    gathering.sandbox.clear_faults()
    known = _until_counts(gathering, answer["id"], delivered=1500, within=110)
    assert known["status"] == "done"
    assert Counter(len(gathering.sandbox.messages(phone=phone)) for phone in phones) == {1: 1500}
