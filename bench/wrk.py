"""Load over HTTP by wrk, and what it says."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.report import CannotRun

_FIX: Final = "wrk is not installed; on Debian and Ubuntu: apt-get install wrk"
_UNITS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
_RATE: Final = re.compile(r"Requests/sec:\s+([\d.]+)")
_PERCENTILE: Final = re.compile(r"^\s+(50|99)(?:\.000)?%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_WRONG: Final = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")


@dataclass(frozen=True, slots=True)
class Load:
    """Requests a second, and milliseconds."""

    rate: float
    p50: float
    p99: float
    wrong: str = ""


def program() -> str:
    """Find wrk.

    Raises:
        CannotRun: It is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise CannotRun(_FIX)
    return found


def load(url: str, body: dict[str, Any], headers: Mapping[str, str], *, connections: int, seconds: float) -> Load:
    """POST a body over and over through so many connections.

    Raises:
        CannotRun: It is not installed.
        RuntimeError: An answer was no 2xx.
    """
    command = [program(), "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "20s", "--latency"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_lua(json.dumps(body), {"Content-Type": "application/json", **headers}))
        script.flush()
        done = subprocess.run([*command, "-s", script.name, url], capture_output=True, text=True, check=True)
    found = read(done.stdout)
    if "Non-2xx" in found.wrong:
        raise RuntimeError(f"{url}: {found.wrong}")
    return found


def read(said: str) -> Load:
    """Read what wrk has printed."""
    rate = _RATE.search(said)
    times = {one[1]: float(one[2]) * _UNITS[one[3]] for one in _PERCENTILE.finditer(said)}
    if rate is None or times.keys() != {"50", "99"}:
        raise ValueError(f"wrk said something else: {said!r}")
    return Load(float(rate[1]), times["50"], times["99"], "; ".join(one[0] for one in _WRONG.finditer(said)))


def _lua(body: str, headers: dict[str, str]) -> str:
    """Write the Lua that gives each request a number of its own where the body says 13700000000."""
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    return "\n".join(
        [
            'wrk.method = "POST"',
            *lines,
            f"local body = [==[{body}]==]",
            "local number = 0",
            "request = function()",
            "  number = number + 1",
            '  return wrk.format(nil, nil, nil, (string.gsub(body, "13700000000", string.format("137%08d", number))))',
            "end",
        ]
    )
