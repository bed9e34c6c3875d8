"""The commands that users run: the tests run the same."""

import re
from pathlib import Path
from typing import Final

from honcho.environ import parse_procfile

ROOT: Final = Path(__file__).parents[3]


def commands() -> dict[str, str]:
    """Give the Procfile's commands by the name of their process."""
    return dict(parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes)


def line(name: str) -> list[str]:
    return ["/bin/sh", "-c", commands()[name]]


def worker_names() -> list[str]:
    """Name every line that is a Celery worker."""
    return [name for name, command in commands().items() if re.search(r"\bcelery\b.* worker ", command)]


def worker_line(*queues: str, name: str = "worker", log_level: str = "INFO", pool: str = "threads") -> list[str]:
    """Give the Procfile's otp worker, made to serve other queues under another name, and perhaps by another pool."""
    command = commands()["otp"]
    options = {"-n": f"{name}@%h", "-Q": ",".join(queues), "--loglevel": log_level, "--pool": pool}
    for option, value in options.items():
        command, found = re.subn(rf"(?<= {option} )\S+", lambda _, new=value: new, command)
        assert found == 1, f"the Procfile's otp worker has no {option}"
    return ["/bin/sh", "-c", command]
