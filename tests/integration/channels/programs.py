"""Programs beside the tests, run with the tests on their path; and the outcomes that they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# A fault as an outcome writes it, `<Fault.MESSAGE: 'message'>`, turned back into what Python reads.
FAULT = re.compile(r"<(Fault\.\w+): '\w+'>")
WORDS = {kind.__name__: kind for kind in (Fault, Refused, Sent, Uncertain, Unsent)}


def run(program: str, *arguments: str, **env: str | None) -> subprocess.CompletedProcess[str]:
    """Run one; None takes a variable out of its environment."""
    environment = {name: value for name, value in (os.environ | env).items() if value is not None}
    return subprocess.run(
        [sys.executable, HERE / program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**environment, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, Outcome]:
    """Read the outcomes that a program has printed, by their messages' ids."""
    lines = [line.split(" ", 2) for line in done.stdout.splitlines() if line.startswith("=> ")]
    return {name: eval(FAULT.sub(r"\1", outcome), WORDS) for _, name, outcome in lines}
