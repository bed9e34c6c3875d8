"""What the development system remembers between two runs, in `.smsgate` of the working directory."""

import fcntl
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from smsgate.errors import SettingsError

HERE: Final = Path(".smsgate")
DEV_KEY: Final = HERE / "dev.key"
ENVIRONMENT: Final = HERE / "env"


def prepare() -> None:
    """Make the folder, closed to other users: it holds keys and the messages of the embedded Redis."""
    HERE.mkdir(mode=0o700, exist_ok=True)
    (HERE / "log").mkdir(exist_ok=True)


def lock(name: str, holder: str) -> int:
    """Hold `NAME.lock` until this process ends, and whatever it becomes by exec; returns the descriptor.

    Raises:
        SettingsError: Another process holds it.
    """
    descriptor = os.open(HERE / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SettingsError(f"{holder} runs in this folder already ({HERE / name}.lock); stop it first.") from None
    return descriptor


def secret(name: str) -> str:
    """Read a secret of this machine, made at its first use."""
    path = HERE / name
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text(encoding="utf-8").strip()


def write_environment(variables: Mapping[str, str]) -> None:
    """Write the variables that point other commands at this system, for a shell to read."""
    write_private(ENVIRONMENT, "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whatever the umask says."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
    path.chmod(0o600)
