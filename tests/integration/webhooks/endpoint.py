"""A client's endpoint: a real HTTP server that keeps what is posted to it, and answers as a test tells it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Endpoint:
    """Answers with `answers` in turn, then with 204."""

    port: int
    posted: list[Posted] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?token=hunter2"


@contextmanager
def serving() -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            endpoint.posted.append(Posted(self.path, dict(self.headers), body))
            status, headers = endpoint.answers.pop(0) if endpoint.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint = Endpoint(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Accept connections and do with each what `answer` does; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    end, _ = door.accept()
                    threading.Thread(target=_answer, args=(answer, end), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(door.getsockname()[1])
        door.shutdown(socket.SHUT_RDWR)


def _answer(answer: Callable[[socket.socket], None], end: socket.socket) -> None:
    with suppress(OSError), end:
        answer(end)


def dripping(head: bytes) -> Callable[[socket.socket], None]:
    """Answer with `head` at once and then, for ever, with a byte every tenth of a second."""

    def answer(end: socket.socket) -> None:
        end.recv(65536)
        end.sendall(head)
        while True:
            end.sendall(b"x")
            time.sleep(0.1)

    return answer


def silent(end: socket.socket) -> None:
    """Take everything and say nothing, until the other side hangs up."""
    while end.recv(65536):
        pass
