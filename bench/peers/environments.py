"""An environment for each peer, made when it is first needed: arq wants an older redis than the gateway has."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.report import CannotRun
from bench.system import ROOT

LOCKS: Final = Path(__file__).with_name("locks")
_FOLDER: Final = ROOT / ".smsgate" / "bench"


def programs(peer: str) -> Path:
    """Give the folder of a peer's programs, installed from its lock where they are not there yet.

    Raises:
        CannotRun: The packages could not be installed.
    """
    lock = (LOCKS / f"{peer}.txt").read_text(encoding="utf-8")
    folder = _FOLDER / peer
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text(encoding="utf-8") != lock:
        print(f"  installing {peer} (once; about half a minute) …", file=sys.stderr)
        _install(folder, LOCKS / f"{peer}.txt")
        installed.write_text(lock, encoding="utf-8")
    return folder / "bin"


def _install(folder: Path, lock: Path) -> None:
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [*pip, "install", "--require-hashes", "-r", str(lock)],
    ):
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise CannotRun(f"{lock.name} cannot be installed\n{ended.stderr[-500:]}")
