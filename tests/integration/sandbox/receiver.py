"""A user's own callback address: a real HTTP server that keeps what is pushed to it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

GOOD = (200, b'{"code":0,"msg":"ok"}')


class Receiver:
    """Answers with `answers` in turn, then as the provider wants it."""

    def __init__(self) -> None:
        self.pushes: list[list[dict[str, Any]]] = []
        self.types: list[str] = []
        self.answers: list[tuple[int, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, text = receiver.take(body, self.headers["Content-Type"])
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's own name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/secret-path/reports"

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for push in self.pushes for item in push]

    def take(self, body: bytes, media: str) -> tuple[int, bytes]:
        answer = self.answers.pop(0) if self.answers else GOOD
        self.types.append(media)
        self.pushes.append(json.loads(body))
        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
