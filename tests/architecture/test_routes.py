"""Who may call what: every route is listed here, and answers nobody without a key unless it is said to be open."""

from collections.abc import Callable
from typing import Any

import pytest

WITH_KEY = {
    ("POST", "/v1/messages"),
    ("GET", "/v1/messages/<message_id>"),
    ("DELETE", "/v1/messages/<message_id>"),
    ("POST", "/v1/batches"),
    ("GET", "/v1/batches/<batch_id>"),
    ("GET", "/v1/batches/<batch_id>/messages"),
    ("POST", "/v1/batches/<batch_id>/<action>"),
    ("GET", "/v1/dead-letters"),
    ("GET", "/v1/dead-letters/<message_id>"),
    ("DELETE", "/v1/dead-letters/<message_id>"),
    ("POST", "/v1/dead-letters/replay"),
    ("GET", "/v1/limits"),
    ("GET", "/v1/degradation"),
    ("PUT", "/v1/degradation"),
    ("GET", "/v1/pauses"),
    ("PUT", "/v1/pauses/<what>/<name>"),
    ("DELETE", "/v1/pauses/<what>/<name>"),
}
# The callbacks carry a secret in their path instead: that is the only way in which the provider can show one.
OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/callbacks/<provider>/<given>/<last>"),
    ("POST", "/callbacks/<provider>/<given>/<last>"),
}

# A process of its own: the app sets up the logs of the whole process. Nobody listens at its Redis.
ASKED = """
import json
from smsgate.http.app import create_app

app = create_app()
client = app.test_client()
answers = []
for rule in app.url_map.iter_rules():
    path = rule.rule
    for name in rule.arguments:
        path = path.replace(f"<{name}>", "x").replace(f"<path:{name}>", "x")
    for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
        for headers in ({}, {"Authorization": "Basic c21zOng="}, {"Authorization": "Bearer"},
                        {"Authorization": "Bearer "}, {"Authorization": "Bearer nonsense"}):
            answer = client.open(path, method=method, headers=headers, json={} if method == "POST" else None)
            answers.append([method, rule.rule, answer.status_code, answer.headers.get("WWW-Authenticate")])
print(json.dumps(answers))
"""
NOBODYS_REDIS = {"SMSGATE_REDIS_URL": "redis://127.0.0.1:1/0", "SMSGATE_CALLBACK_SECRET": "a-secret-of-the-callbacks"}


@pytest.fixture(scope="module")
def answers(ask: Callable[..., Any]) -> list[tuple[tuple[str, str], int, str | None]]:
    """What each route answers to a caller with a bad key or none."""
    return [((method, rule), status, demand) for method, rule, status, demand in ask(ASKED, environment=NOBODYS_REDIS)]


def test_every_route_is_listed(answers: list[tuple[tuple[str, str], int, str | None]]) -> None:
    assert {route for route, _, _ in answers} == WITH_KEY | OPEN


def test_no_route_answers_without_a_key_unless_it_is_open(
    answers: list[tuple[tuple[str, str], int, str | None]],
) -> None:
    closed = [(route, status, demand) for route, status, demand in answers if route not in OPEN]
    assert [(route, status) for route, status, _ in closed if status != 401] == []
    assert {demand for _, _, demand in closed} == {'Bearer realm="smsgate"'}


def test_every_route_of_the_api_wants_a_key() -> None:
    assert [path for _, path in OPEN if path.startswith("/v1")] == []


def test_the_callbacks_are_not_there_for_a_caller_without_the_secret(
    answers: list[tuple[tuple[str, str], int, str | None]],
) -> None:
    assert {status for (_, path), status, _ in answers if path.startswith("/callbacks")} == {404}
