"""The control interface says what is wrong with a request, and takes none from other sites' pages."""

import socket
from typing import Any

import pytest
import requests

from smsgate.sandbox.process import SandboxProcess
from tests.integration.sandbox import sdk

JSON = {"Content-Type": "application/json"}


def ask(sandbox: SandboxProcess, method: str, path: str, **more: Any) -> requests.Response:
    return requests.request(method, f"{sandbox.url}/_sandbox{path}", timeout=5, **more)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "kind"),
        ({"kind": "unheard-of"}, "kind"),
        ({"kind": "latency", "ms": -1}, "ms"),
        ({"kind": "latency", "distribution": {"shape": "uniform", "low_ms": 1}}, "distribution.uniform.high_ms"),
        ({"kind": "reset", "probability": 2}, "probability"),
        ({"kind": "reset", "probabilty": 0.5}, "probabilty"),
        ({"kind": "reset", "match": {"phones": "1"}}, "match.phones"),
        ({"kind": "refuse", "seconds": 100_000}, "seconds"),
    ],
)
def test_a_bad_field_of_a_fault_is_named(sandbox: SandboxProcess, spec: dict[str, Any], field: str) -> None:
    answer = ask(sandbox, "POST", "/faults", json=spec)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000])
def test_a_body_that_is_no_json_is_told_so(sandbox: SandboxProcess, body: bytes) -> None:
    answer = ask(sandbox, "POST", "/faults", data=body, headers=JSON)
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body is not JSON.")


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("limit=many", "limit"), ("fone=1", "fone"), ("q=a&q=b", "q")]
)
def test_a_bad_query_value_is_named(sandbox: SandboxProcess, query: str, field: str) -> None:
    answer = ask(sandbox, "GET", f"/messages?{query}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_faults_can_be_listed_and_taken_down_one_by_one(sandbox: SandboxProcess) -> None:
    one, two = sandbox.fault(kind="reset", count=3), sandbox.fault(kind="hang", match={"phone_prefix": "139"})
    listed = ask(sandbox, "GET", "/faults").json()["faults"]
    assert listed == [one, two]
    assert ask(sandbox, "DELETE", f"/faults/{one['id']}").status_code == 204
    assert ask(sandbox, "DELETE", f"/faults/{one['id']}").status_code == 404
    assert ask(sandbox, "GET", "/faults").json()["faults"] == [two]


def test_messages_are_found_by_number_out_id_and_text(sandbox: SandboxProcess) -> None:
    client = sdk.client(sandbox.endpoint)
    for out_id in ("a", "b", "c"):
        client.send_sms(sdk.request(out_id=out_id))
    found = ask(sandbox, "GET", "/messages", params={"phone": "+8613800138000", "limit": 2}).json()["messages"]
    assert [message["out_id"] for message in found] == ["c", "b"]
    assert len(ask(sandbox, "GET", "/messages", params={"q": "验证码"}).json()["messages"]) == 3
    assert len(ask(sandbox, "GET", "/messages", params={"out_id": "a"}).json()["messages"]) == 1


def test_a_reply_without_an_address_for_replies_is_a_conflict(sandbox: SandboxProcess) -> None:
    answer = ask(sandbox, "POST", "/replies", json={"phone": sdk.PHONE, "content": "R"})
    assert answer.status_code == 409
    assert "SMSGATE_SANDBOX_UP_URL" in answer.json()["detail"]


@pytest.mark.parametrize(("path", "method"), [("/faults", "POST"), ("/replies", "POST"), ("/callbacks", "PUT")])
def test_a_change_needs_a_json_content_type(sandbox: SandboxProcess, path: str, method: str) -> None:
    for media in ("text/plain", "application/x-www-form-urlencoded", None):
        headers = {} if media is None else {"Content-Type": media}
        answer = ask(sandbox, method, path, data=b'{"kind":"reset"}', headers=headers)
        assert answer.status_code == 415


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_another_sites_page_can_change_nothing(sandbox: SandboxProcess, method: str) -> None:
    headers = {**JSON, "Origin": "https://evil.example"}
    answer = ask(sandbox, method, "/faults", data=b'{"kind":"reset"}', headers=headers)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    own = ask(sandbox, "DELETE", "/faults", headers={"Origin": sandbox.url})
    assert own.status_code == 204


@pytest.mark.parametrize("path", ["/_sandbox/messages", "/_sandbox/inbox", "/"])
def test_a_name_that_was_rebound_to_this_machine_reads_nothing(sandbox: SandboxProcess, path: str) -> None:
    answer = requests.get(f"{sandbox.url}{path}", headers={"Host": "evil.example"}, timeout=5)
    assert answer.status_code == 421
    for host in ("localhost:1", sandbox.endpoint, "[::1]:1"):
        assert requests.get(f"{sandbox.url}{path}", headers={"Host": host}, timeout=5).status_code == 200


def test_a_page_carries_a_strict_content_security_policy(sandbox: SandboxProcess) -> None:
    for path in ("/", "/_sandbox/inbox", "/_sandbox/static/inbox.js", "/_sandbox/messages"):
        headers = requests.get(f"{sandbox.url}{path}", timeout=5).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_static_files_are_those_and_no_others(sandbox: SandboxProcess) -> None:
    for name in ("../settings.py", "..%2fsettings.py", "unknown.js"):
        assert ask(sandbox, "GET", f"/static/{name}").status_code == 404


def test_it_listens_on_this_machine_only(sandbox: SandboxProcess) -> None:
    port = int(sandbox.endpoint.rpartition(":")[2])
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", port))


@pytest.mark.parametrize(
    "rude",
    [
        b"POST /?PhoneNumbers=" + b"13812345678," * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n13812345678\r\n\r\n",
        b"13812345678 / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_neither_disturbs_it_nor_gets_into_its_log(sandbox: SandboxProcess, rude: bytes) -> None:
    host, _, port = sandbox.endpoint.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(rude)
        assert b"400" in connection.recv(4096)
    assert ask(sandbox, "GET", "/health").json() == {"status": "ok"}
    assert "smsgate.sandbox.http" in sandbox.log
    assert "13812345678" not in sandbox.log
