"""The real app behind limits. In a process of its own: the app sets up the logs of the whole process."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from smsgate.ledger.api_keys import ApiKeys

ASKS = """
import json, sys
from pydantic import TypeAdapter
from smsgate.gates.quota import Limits
from smsgate.http.app import create_app

limits, asks = json.load(sys.stdin)
client = create_app(TypeAdapter(Limits).validate_python(limits)).test_client()
answers = []
for method, path, headers, body in asks:
    answer = client.open(path, method=method, headers=headers, data=body)
    answers.append([answer.status_code, dict(answer.headers), answer.get_json()])
print(json.dumps(answers))
"""
Answer = tuple[int, dict[str, str], dict[str, Any]]
CODES = {"name": "codes", "per": ["recipient"], "lanes": ["otp"], "allow": "2/hour"}
DAY = {"name": "day", "per": ["client"], "allow": "5/day", "algorithm": "fixed_window"}
UPLOADS = {"name": "uploads", "per": ["client"], "allow": "1/hour", "counts": "requests", "templates": ["*"]}


class Door:
    """Requests to an app behind limits, by one client."""

    def __init__(self, url: str, store: redis.Redis) -> None:
        self._environment = {**os.environ, "SMSGATE_REDIS_URL": url, "SMSGATE_SIGN": "短信网关"}
        self._key = ApiKeys(store).create("shop")

    def ask(self, limits: list[dict[str, Any]], *asks: tuple[str, str, dict[str, str], str]) -> list[Answer]:
        bearer = {"Authorization": f"Bearer {self._key}"}
        told = json.dumps([limits, [(method, path, {**bearer, **more}, body) for method, path, more, body in asks]])
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", ASKS],
            cwd=root,
            env=self._environment,
            input=told,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [(status, headers, body) for status, headers, body in json.loads(done.stdout.splitlines()[-1])]


@pytest.fixture
def door(redis_url: str, store: redis.Redis) -> Door:
    return Door(redis_url, store)


def _message(
    to: str = "13800138000", media: str = "application/json", **more: str
) -> tuple[str, str, dict[str, str], str]:
    body = json.dumps({"to": to, "template": "T", "lane": "otp"})
    return "POST", "/v1/messages", {"Content-Type": media, **more}, body


def _batch(count: int, **more: str) -> tuple[str, str, dict[str, str], str]:
    lines = "".join(f'{{"to": "{13_900_000_000 + place}"}}\n' for place in range(count))
    return "POST", "/v1/batches?template=T", {"Content-Type": "application/x-ndjson", **more}, lines


# The usual type goes the express way, the other Flask's.
@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8"])
def test_a_message_is_told_what_is_left_and_one_too_many_when_it_may_come_again(door: Door, media: str) -> None:
    key = {"Idempotency-Key": "k"}
    first, second, third, again, show = door.ask(
        [CODES, DAY],
        _message(media=media, **key),
        _message(media=media),
        _message(media=media),
        _message(media=media, **key),
        ("GET", "/v1/limits", {}, ""),
    )
    assert (first[0], second[0]) == (202, 202)
    assert re.fullmatch(r'"codes";r=1;t=\d+, "day";r=4;t=\d+', first[1]["RateLimit"])
    assert first[1]["RateLimit-Policy"] == '"codes";q=2;w=3600, "day";q=5;w=86400'

    status, headers, problem = third
    wait = int(headers["Retry-After"])
    assert (status, headers["Content-Type"]) == (429, "application/problem+json")
    assert 3500 < wait <= 3600
    assert headers["RateLimit"] == f'"codes";r=0;t={wait}'
    assert headers["RateLimit-Policy"] == '"codes";q=2;w=3600'
    assert problem == {
        "type": "urn:smsgate:problem:limit-exceeded",
        "title": "Too Many Requests",
        "status": 429,
        "detail": f"limit codes: 2/hour for each recipient is used up; it frees in {wait} s.",
        "limit": "codes",
        "per": ["recipient"],
        "retry_after": wait,
    }
    assert (again[0], again[1]["Idempotency-Replayed"], again[2]["id"]) == (202, "true", first[2]["id"])
    codes, day = show[2]["limits"]
    assert (codes["name"], "used" in codes) == ("codes", False)
    assert (day["used"], day["remaining"]) == (2, 3)


def test_without_limits_answers_say_nothing_of_them(door: Door) -> None:
    accepted, show = door.ask([], _message(), ("GET", "/v1/limits", {}, ""))
    assert accepted[0] == 202
    assert not [name for name in accepted[1] if name.startswith("RateLimit")]
    assert show[2] == {"limits": []}


def test_a_batch_is_accepted_as_far_as_there_is_room_and_refused_where_there_is_none(door: Door) -> None:
    some, none = door.ask([DAY], _batch(8), _batch(3))
    assert (some[0], some[2]["accepted"], some[2]["rejected_count"]) == (202, 5, 3)
    assert some[2]["rejected"][0]["index"] == 5
    (error,) = some[2]["rejected"][0]["errors"]
    assert (error["field"], error["message"][:43]) == ("day", "5/day for each client is used up; it frees ")
    assert some[1]["RateLimit"].startswith('"day";r=0;t=')
    status, headers, problem = none
    assert (status, problem["type"], problem["accepted"]) == (429, "urn:smsgate:problem:limit-exceeded", 0)
    assert int(headers["Retry-After"]) == problem["retry_after"] > 0


def test_an_upload_too_many_is_refused_before_it_is_read(door: Door) -> None:
    first, other, again = door.ask(
        [UPLOADS],
        _batch(3, **{"Idempotency-Key": "k"}),
        ("POST", "/v1/batches", {"Content-Type": "application/json"}, "no JSON"),
        _batch(3, **{"Idempotency-Key": "k"}),
    )
    assert (first[0], other[0], again[0]) == (202, 429, 202)
    assert other[2]["limit"] == "uploads"
    assert first[1]["RateLimit-Policy"] == '"uploads";q=1;w=3600'
