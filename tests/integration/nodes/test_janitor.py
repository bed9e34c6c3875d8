"""Whatever ends a test run, its processes end with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.nodes.procfile import ROOT
from tests.integration.nodes.until import until

_RUN = """
import sys
from pathlib import Path
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment
with Janitor() as janitor:
    node = NodeProcess("sleeper", ["/bin/sh", "-c", "sleep 100 & echo $!; wait"], clean_environment(),
                       Path(sys.argv[1]), janitor)
    node.start()
    while not node.logs().strip():
        pass
    print(node.logs().decode().strip(), flush=True)
    sys.stdin.read()
"""


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_processes_of_a_killed_test_run_end(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        [sys.executable, "-c", _RUN, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    with run:
        assert run.stdout is not None
        child = int(run.stdout.readline())
        assert _runs(child)

        run.send_signal(signal.SIGKILL)
        until(lambda: not _runs(child), "the node's child has ended")
