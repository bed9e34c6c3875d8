"""The sandbox as a process: it starts on a free port, says what is wrong, and never outlives its owner."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from smsgate.sandbox.process import SandboxFailed, SandboxProcess
from tests.integration.nodes.until import until
from tests.integration.sandbox import sdk

OWNER = """
import sys, time
from smsgate.sandbox.process import SandboxProcess
with SandboxProcess() as sandbox:
    print(sandbox.pid, flush=True)
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_two_sandboxes_run_side_by_side() -> None:
    with SandboxProcess() as one, SandboxProcess() as two:
        assert one.endpoint != two.endpoint
        sdk.client(one.endpoint).send_sms(sdk.request())
        assert (len(one.messages()), len(two.messages())) == (1, 0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_sandbox_ends_when_its_owner_is_killed() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    sandbox = int(owner.stdout.readline())
    assert alive(sandbox)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until(lambda: not alive(sandbox), "the sandbox has ended too")


def test_it_can_be_stopped_killed_and_started_again() -> None:
    sandbox = SandboxProcess()
    for end in (sandbox.stop, sandbox.kill):
        sandbox.start()
        pid = sandbox.pid
        end()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        with pytest.raises(SandboxFailed, match="not running"):
            sandbox.stats()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_even_while_a_call_hangs(number: int) -> None:
    with SandboxProcess() as sandbox:
        host, _, port = sandbox.endpoint.partition(":")
        with socket.create_connection((host, int(port))) as page:
            page.sendall(f"GET /_sandbox/events HTTP/1.1\r\nHost: {sandbox.endpoint}\r\n\r\n".encode())
            assert b"text/event-stream" in page.recv(4096)
            os.kill(sandbox.pid, number)
            child = sandbox._running()  # noqa: SLF001 - its exit status is the point
            assert child.wait(10) == 0
    assert sandbox.log == ""


def test_a_port_that_is_taken_is_an_error_that_names_the_setting() -> None:
    with SandboxProcess() as first:
        port = int(first.endpoint.rpartition(":")[2])
        with pytest.raises(SandboxFailed, match="SMSGATE_SANDBOX_PORT") as failure:
            SandboxProcess(port=port).start()
    assert "Traceback" not in str(failure.value)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"port": 70_000}, "SMSGATE_SANDBOX_PORT"),
        ({"report_url": "nowhere"}, "SMSGATE_SANDBOX_REPORT_URL"),
        ({"retry_delays": "1,soon"}, r"SMSGATE_SANDBOX_RETRY_DELAYS\.1"),
        ({"templates": [{"code": "SMS_1"}]}, r"SMSGATE_SANDBOX_TEMPLATES\.0\.content"),
        ({"templates": "not json"}, "SMSGATE_SANDBOX_TEMPLATES"),
    ],
)
def test_a_bad_setting_is_an_error_that_names_it(settings: dict[str, object], name: str) -> None:
    with pytest.raises(SandboxFailed, match=name) as failure:
        SandboxProcess(**settings).start()  # type: ignore[arg-type]
    assert "Traceback" not in str(failure.value)


def test_settings_reach_the_process() -> None:
    signs = [{"name": "Ours"}]
    templates = [{"code": "SMS_9", "content": "Hello ${name}"}]
    with SandboxProcess(signs=signs, templates=templates, access_key_id="me", capacity=1) as sandbox:
        client = sdk.client(sandbox.endpoint, access_key_id="me")
        asked = sdk.request(sign_name="Ours", template_code="SMS_9", template_param='{"name":"Li"}')
        assert client.send_sms(asked).body.code == "OK"
        assert client.send_sms(asked).body.code == "OK"
        assert [message["text"] for message in sandbox.messages()] == ["【Ours】Hello Li"]
        assert sandbox.stats()["messages"]["evicted"] == 1
