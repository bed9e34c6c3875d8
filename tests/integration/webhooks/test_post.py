"""One call to an endpoint, whatever the endpoint does with it."""

import datetime as dt
import socket
import time
from email.utils import format_datetime

import pytest

from smsgate.webhooks.outcome import Delivered, Failed, Rejected
from smsgate.webhooks.post import Post
from tests.integration.nodes.process import free_port
from tests.integration.webhooks.endpoint import Endpoint, dripping, listening, silent

HEADERS = {"webhook-id": "m1-4"}


def test_a_webhook_is_posted_as_json_with_its_headers(post: Post, endpoint: Endpoint) -> None:
    assert post(endpoint.url, b'{"a":1}', HEADERS) == Delivered(204)

    (posted,) = endpoint.posted
    assert (posted.path, posted.body) == ("/hooks?token=hunter2", b'{"a":1}')
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.headers["webhook-id"] == "m1-4"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Delivered(200)),
        (202, Delivered(202)),
        (400, Failed("status_400")),
        (404, Failed("status_404")),
        (410, Rejected("gone")),
        (429, Failed("status_429")),
        (500, Failed("status_500", down=True)),
        (503, Failed("status_503", down=True)),
    ],
)
def test_an_answer_is_told_by_its_status(post: Post, endpoint: Endpoint, status: int, outcome: object) -> None:
    endpoint.answers.append((status, {}))
    assert post(endpoint.url, b"{}", HEADERS) == outcome


@pytest.mark.parametrize(
    ("named", "wait"),
    [("7", 7.0), ("999999999", 86400.0), ("-1", None), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_an_endpoint_may_name_the_time_to_wait(post: Post, endpoint: Endpoint, named: str, wait: float | None) -> None:
    endpoint.answers.append((503, {"Retry-After": named}))
    assert post(endpoint.url, b"{}", HEADERS) == Failed("status_503", wait, down=True)


def test_an_endpoint_may_name_a_moment_to_wait_for(post: Post, endpoint: Endpoint) -> None:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    endpoint.answers.append((429, {"Retry-After": format_datetime(moment, usegmt=True)}))
    outcome = post(endpoint.url, b"{}", HEADERS)
    assert isinstance(outcome, Failed)
    assert outcome.retry_after == pytest.approx(60, abs=3)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused(post: Post, endpoint: Endpoint, status: int) -> None:
    endpoint.answers.append((status, {"Location": endpoint.url}))
    assert post(endpoint.url, b"{}", HEADERS) == Failed("redirect_refused")
    assert len(endpoint.posted) == 1


def test_a_redirect_with_an_endless_body_is_not_read(post: Post) -> None:
    """As requests would, to prepare what it is told not to follow."""
    head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 99999999\r\n\r\n"
    with listening(dripping(head)) as port:
        assert post(f"http://127.0.0.1:{port}/", b"{}", HEADERS) == Failed("redirect_refused")


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_an_endpoint_that_drips_its_head_is_cut_off(post: Post, head: bytes) -> None:
    with listening(dripping(head)) as port:
        began = time.monotonic()
        assert post(f"http://127.0.0.1:{port}/", b"{}", HEADERS) == Failed("timeout", down=True)
    assert time.monotonic() - began < 2


def test_an_endpoint_that_drips_its_body_has_taken_the_webhook(post: Post) -> None:
    with listening(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")) as port:
        began = time.monotonic()
        assert post(f"http://127.0.0.1:{port}/", b"{}", HEADERS) == Delivered(200)
    assert time.monotonic() - began < 1


def test_what_was_cut_off_hangs_up(post: Post) -> None:
    """The endpoint would hold a thread and a socket of the worker otherwise."""
    hung_up: list[bool] = []

    def answer(end: socket.socket) -> None:
        silent(end)
        hung_up.append(True)

    with listening(answer) as port:
        post(f"http://127.0.0.1:{port}/", b"{}", HEADERS)
        time.sleep(0.2)
    assert hung_up == [True]


def test_a_tls_handshake_that_never_ends_is_cut_off(post: Post) -> None:
    with listening(silent) as port:
        assert post(f"https://127.0.0.1:{port}/", b"{}", HEADERS) == Failed("timeout", down=True)


def test_a_name_that_takes_too_long_to_resolve_is_given_up(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: time.sleep(3))
    began = time.monotonic()
    assert post("http://slow.example/", b"{}", HEADERS) == Failed("timeout", down=True)
    assert time.monotonic() - began < 2


def test_a_call_that_was_given_up_posts_nothing_later(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is resolved at last: the webhook is due again by then, and would be posted twice."""
    heard: list[bytes] = []
    with listening(lambda end: heard.append(end.recv(65536))) as port:

        def slow(_host: str, port: int | None, *_args: object, **_more: object) -> list[object]:
            time.sleep(1.2)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        assert post(f"http://slow.example:{port}/", b"{}", HEADERS) == Failed("timeout", down=True)
        time.sleep(0.7)
    assert heard == [b""]


def test_an_endpoint_that_is_not_there_has_failed(post: Post) -> None:
    assert post(f"http://127.0.0.1:{free_port()}/", b"{}", HEADERS) == Failed("connection", down=True)


def test_an_answer_that_is_not_http_has_failed(post: Post) -> None:
    with listening(lambda end: end.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")) as port:
        assert post(f"http://127.0.0.1:{port}/", b"{}", HEADERS) == Failed("connection", down=True)


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_name_that_can_be_none_is_never_tried_again(strict: Post, host: str) -> None:
    assert strict(f"http://{host}/", b"{}", HEADERS) == Rejected("invalid_url")
