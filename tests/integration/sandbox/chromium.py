"""A real Chromium without a window, driven over the DevTools protocol."""

import asyncio
import base64
import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
_DEVTOOLS = re.compile(r"DevTools listening on (ws://\S+)")


class Page:
    """One open page; every wait is for a condition in it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket = socket
        self._session = session
        self._ids = count(100)

    async def tell(self, method: str, **params: object) -> dict[str, Any]:
        call = next(self._ids)
        message = {"id": call, "method": method, "params": params, "sessionId": self._session}
        await self._socket.send_json(message)
        return await answer_to(self._socket, call)

    async def open(self, url: str) -> None:
        await self.tell("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def value(self, expression: str) -> Any:
        answer = await self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, condition: str, within: float = 15.0) -> None:
        deadline = time.monotonic() + within
        while not await self.value(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"not within {within} s: {condition}"
            await asyncio.sleep(0.03)

    async def type(self, text: str) -> None:
        await self.tell("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {}
        await self.tell("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **text)
        await self.tell("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    async def size(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.tell("Emulation.setDeviceMetricsOverride", **metrics)

    async def scheme(self, name: str) -> None:
        await self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    async def picture(self) -> bytes:
        """Take a PNG, to look at when the page is worked on."""
        answer = await self.tell("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])


class Chromium:
    """The browser process, with a profile of its own that goes with it."""

    def __init__(self) -> None:
        self._ids = count(1_000_000)
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        self._log = Path(self._profile, "stderr.log")

    async def __aenter__(self) -> Self:
        self._process = self._started()
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(await self._address(), max_msg_size=0)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(Exception):  # it may close the connection before it answers
            await self._tell("Browser.close")
        await self._session.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, 10)
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _started(self) -> subprocess.Popen[bytes]:
        assert PROGRAM is not None
        with self._log.open("wb") as log:
            command = [PROGRAM, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"]
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    async def page(self) -> Page:
        target = await self._tell("Target.createTarget", url="about:blank")
        attached = await self._tell("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        return Page(self._socket, attached["sessionId"])

    async def _tell(self, method: str, **params: object) -> dict[str, Any]:
        call = next(self._ids)
        await self._socket.send_json({"id": call, "method": method, "params": params})
        return await answer_to(self._socket, call)

    async def _address(self) -> str:
        deadline = time.monotonic() + 30
        while not (found := _DEVTOOLS.search(self._log.read_text(errors="replace"))):
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < deadline, "chromium does not answer"
            await asyncio.sleep(0.05)
        return found[1]


async def answer_to(socket: aiohttp.ClientWebSocketResponse, call: int) -> dict[str, Any]:
    """Read on until the answer to a call comes; events in between are not listened to."""
    while True:
        message = json.loads(await socket.receive_str(timeout=30))
        if message.get("id") == call:
            assert "error" not in message, message
            result: dict[str, Any] = message["result"]
            return result
