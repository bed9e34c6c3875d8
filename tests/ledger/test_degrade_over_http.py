"""The real app of a degraded gateway. In a process of its own: the app sets up the logs of the whole process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from smsgate.flow.degrade import fix
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.degradations import Degradations
from smsgate.routing.degradation import Level

ASKS = """
import json, sys
from smsgate.http.app import create_app

client = create_app().test_client()
answers = []
for method, path, headers, body in json.load(sys.stdin):
    answer = client.open(path, method=method, headers=headers, data=body)
    answers.append([answer.status_code, dict(answer.headers), answer.get_json(silent=True)])
print(json.dumps(answers))
"""
JSON = {"Content-Type": "application/json"}
Answer = tuple[int, dict[str, str], Any]


class Web:
    """Requests to an app, by an operator and by a client that only sends."""

    def __init__(self, url: str, store: redis.Redis) -> None:
        self._environment = {**os.environ, "SMSGATE_REDIS_URL": url, "SMSGATE_SIGN": "短信网关"}
        self.operator = ApiKeys(store).create("ops", operator=True)
        self.sender = ApiKeys(store).create("shop")

    def ask(self, *asks: tuple[str, str, Any], key: str | None = None, **headers: str) -> list[Answer]:
        sent = {"Authorization": f"Bearer {key or self.operator}", **JSON}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        told = json.dumps([[method, path, sent, body and json.dumps(body)] for method, path, body in asks])
        done = subprocess.run(
            [sys.executable, "-c", ASKS],
            cwd=Path(__file__).parents[2],
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
def web(redis_url: str, store: redis.Redis) -> Web:
    return Web(redis_url, store)


@pytest.fixture
def levels(store: redis.Redis) -> Degradations:
    return Degradations(store)


def _message(lane: str) -> tuple[str, str, Any]:
    return "POST", "/v1/messages", {"to": "13800138000", "template": "T", "lane": lane}


# The usual type goes the express way, the other Flask's.
@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8"])
def test_what_is_not_taken_is_told_the_level_and_when_to_come_again(web: Web, levels: Degradations, media: str) -> None:
    fix(levels, Level.ONLY_CODES, "drill", 1)
    notice, code, batch = web.ask(
        _message("notice"),
        _message("otp"),
        ("POST", "/v1/batches", {"template": "T", "messages": [{"to": "13800138000"}]}),
        Content_Type=media,
    )
    assert code[0] == 202
    for status, headers, problem in (notice, batch):
        assert (status, headers["Retry-After"]) == (503, "30")
        assert headers["Content-Type"] == "application/problem+json"
        assert problem["type"] == "urn:smsgate:problem:degraded"
        assert (problem["level"], problem["level_name"], problem["retry_after"]) == (3, "only_codes", 30)


def test_a_repeated_message_is_answered_as_before(web: Web, levels: Degradations) -> None:
    ((_, _, first),) = web.ask(_message("notice"), Idempotency_Key="k")
    fix(levels, Level.ONLY_CODES, "drill", 1)
    ((status, headers, again),) = web.ask(_message("notice"), Idempotency_Key="k")
    assert (status, again["id"], headers["Idempotency-Replayed"]) == (202, first["id"], "true")


def test_readyz_shows_the_level_the_pauses_and_the_channels(web: Web) -> None:
    answers = web.ask(
        ("GET", "/readyz", None),
        ("PUT", "/v1/degradation", {"level": 1, "reason": "drill"}),
        ("PUT", "/v1/pauses/channel/backup", {}),
        ("PUT", "/v1/pauses/lane/notice", None),
    )
    assert [status for status, _, _ in answers] == [200] * 4
    assert answers[0][2] == {
        "status": "ready",
        "level": 0,
        "level_name": "normal",
        "paused": {},
        "channels": {"aliyun": "closed"},
    }
    ((status, _, shown),) = web.ask(("GET", "/readyz", None))
    assert status == 200
    assert shown == {
        "status": "ready",
        "level": 1,
        "level_name": "bulk_paused",
        "paused": {"notice": "hand", "bulk": "degradation"},
        "channels": {"aliyun": "closed", "backup": "paused"},
    }


def test_an_operator_sets_the_level_and_leaves_it_to_the_rule_again(web: Web) -> None:
    before, fixed, shown, auto = web.ask(
        ("GET", "/v1/degradation", None),
        ("PUT", "/v1/degradation", {"level": 2, "reason": "演习"}),
        ("GET", "/v1/degradation", None),
        ("PUT", "/v1/degradation", {"level": "auto"}),
    )
    assert before[2] == {
        "level": 0,
        "level_name": "normal",
        "by": "rule",
        "since": None,
        "why": "",
        "changes": [],
    }
    assert (fixed[2]["level"], fixed[2]["by"], fixed[2]["why"]) == (2, "hand", "演习")
    assert shown[2] == fixed[2]
    assert [(one["before"], one["after"]) for one in auto[2]["changes"]] == [(2, 0), (0, 2)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"level": 4}, "level"),
        ({"level": True}, "level"),
        ({"level": "2"}, "level"),
        ({}, "level"),
        ({"level": [1]}, "level"),
        ({"level": 1, "reason": 5}, "reason"),
        ({"level": 1, "reason": "x" * 501}, "reason"),
        ({"level": 1, "for": 5}, "for"),
    ],
)
def test_a_level_that_is_none_is_refused(web: Web, body: dict[str, Any], field: str) -> None:
    ((status, _, problem),) = web.ask(("PUT", "/v1/degradation", body))
    assert status == (422 if body else 400)
    assert not body or problem["errors"][0]["field"] == field


def test_pauses_are_made_listed_and_ended(web: Web) -> None:
    made, listed, ended, again, none = web.ask(
        ("PUT", "/v1/pauses/template/SMS_9", {"reason": "a slip"}),
        ("GET", "/v1/pauses", None),
        ("DELETE", "/v1/pauses/template/SMS_9", None),
        ("DELETE", "/v1/pauses/template/SMS_9", None),
        ("GET", "/v1/pauses", None),
    )
    assert (made[2]["kind"], made[2]["name"], made[2]["by"], made[2]["reason"]) == (
        *("template", "SMS_9", "hand"),
        "a slip",
    )
    assert listed[2] == {"pauses": [made[2]]}
    assert (ended[0], again[0], none[2]) == (204, 204, {"pauses": []})


def test_what_cannot_be_paused_is_refused(web: Web) -> None:
    kind, name = web.ask(("PUT", "/v1/pauses/worker/x", None), ("PUT", "/v1/pauses/lane/x", None))
    assert (kind[0], kind[2]["type"]) == (404, "urn:smsgate:problem:unknown-kind")
    assert (name[0], name[2]["errors"][0]["field"]) == (422, "name")


def test_a_key_that_only_sends_may_not_operate_and_is_told_the_fix(web: Web) -> None:
    answers = web.ask(
        ("GET", "/v1/degradation", None),
        ("PUT", "/v1/degradation", {"level": 0}),
        ("GET", "/v1/pauses", None),
        ("PUT", "/v1/pauses/lane/bulk", None),
        ("DELETE", "/v1/pauses/lane/bulk", None),
        key=web.sender,
    )
    assert [status for status, _, _ in answers] == [403] * 5
    assert all("--operator" in problem["detail"] for _, _, problem in answers)
