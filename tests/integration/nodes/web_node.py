"""The web process as the Procfile starts it, and a client of its API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import requests

from tests.integration.nodes import procfile
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess
from tests.integration.nodes.until import until

CALLBACK_SECRET: Final = "a-secret-of-the-tests"


class WebNode:
    """Granian with our Flask app, on a port chosen beforehand so that a provider can be told of it."""

    def __init__(self, environment: Mapping[str, str], port: int, folder: Path, janitor: Janitor) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        own = {"SMSGATE_HTTP_PORT": str(port), "SMSGATE_CALLBACK_SECRET": CALLBACK_SECRET}
        self.process = NodeProcess("web", procfile.line("web"), {**environment, **own}, folder, janitor, port)
        self.session = requests.Session()
        self.session.trust_env = False

    def start(self) -> Self:
        self.process.start()
        return self

    def wait_until_ready(self) -> Self:
        until(self._answers, "the web process answers")
        return self

    def callback(self, kind: str = "sms-report", secret: str = CALLBACK_SECRET, provider: str = "aliyun") -> str:
        """Give the URL to which a provider pushes."""
        return callback_url(self.port, kind, secret, provider)

    def ask(self, method: str, path: str, key: str | None = None, **more: Any) -> requests.Response:
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        url = path if path.startswith("http") else f"{self.url}{path}"
        return self.session.request(method, url, headers=headers, timeout=10, **more)

    def logs(self) -> str:
        return self.process.every_log().decode()

    def end(self) -> None:
        self.session.close()
        self.process.end()

    def _answers(self) -> bool:
        assert self.process.status == "running", self.logs()
        try:
            return self.ask("GET", "/healthz").ok
        except requests.RequestException:
            return False


def callback_url(port: int, kind: str, secret: str = CALLBACK_SECRET, provider: str = "aliyun") -> str:
    return f"http://127.0.0.1:{port}/callbacks/{provider}/{secret}/{kind}"
