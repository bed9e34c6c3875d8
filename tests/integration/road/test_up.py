"""`smsgate up`: the whole system from one command, its sample delivered, nothing left behind."""

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment, free_port
from tests.integration.nodes.until import until

PROCFILE = Path(__file__).parents[3] / "Procfile"
PORTS = ("SMSGATE_HTTP_PORT", "SMSGATE_SANDBOX_PORT", "SMSGATE_FLOWER_PORT", "SMSGATE_REDIS_PORT")


def _run(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def _programs_in(folder: Path) -> list[str]:
    """List the processes that work in this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve() == folder.resolve():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.timeout(180)
def test_one_command_brings_up_the_whole_system_and_takes_it_down(tmp_path: Path, janitor: Janitor) -> None:
    environment = clean_environment(**{name: str(free_port()) for name in PORTS})
    up = NodeProcess("up", ["smsgate", "up", "--procfile", str(PROCFILE)], environment, tmp_path, janitor)
    up.start()
    try:
        until(lambda: b"Serving until" in up.logs(), "the system serves", within=90)
        told = up.logs().decode()
        assert re.findall(r"│ (queued|sending|sent|delivered) ", told) == ["queued", "sending", "sent", "delivered"]

        snippets = told[told.index("# Send one over HTTP") : told.index("# Point this shell")]
        sent = _run(snippets, tmp_path, environment)
        assert sent.returncode == 0, sent.stderr
        over_http, by_delay = sent.stdout.splitlines()
        for message_id in (json.loads(over_http)["id"], by_delay):
            followed = _run(f". .smsgate/env && smsgate show --wait {message_id}", tmp_path, environment)
            assert "delivered" in followed.stdout, followed.stderr

        healthy = _run(". .smsgate/env && smsgate doctor --template SMS_154950909", tmp_path, environment)
        assert (healthy.returncode, "FAIL" in healthy.stdout, "warn" in healthy.stdout) == (0, False, False)
        flower = f"http://127.0.0.1:{environment['SMSGATE_FLOWER_PORT']}/"
        assert requests.get(flower, timeout=5).status_code == 401

        again = _run(f"smsgate up --procfile {PROCFILE}", tmp_path, environment)
        assert (again.returncode, "runs in this folder already" in again.stderr) == (1, True)
        up.kill(signal.SIGINT)
        until(lambda: up.status == "exited", "the system has stopped", within=30)
        assert _programs_in(tmp_path) == []
    finally:
        up.end()
