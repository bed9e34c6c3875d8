"""Questions put to a fresh interpreter: what an import brings, and what a process finds at its start."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

Ask = Callable[..., Any]


def _clean_environment() -> dict[str, str]:
    strangers = ("SMSGATE_", "CELERY_", "PYTHON", "ALIBABA_")
    return {name: value for name, value in os.environ.items() if not name.startswith(strangers)}


def ask(
    program: str, *, cwd: Path = ROOT, python: str = sys.executable, environment: dict[str, str] | None = None
) -> Any:
    """Run a program and read the JSON in the last line that it prints."""
    done = subprocess.run(
        [python, "-c", program],
        cwd=cwd,
        env={**_clean_environment(), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session", name="ask")
def _ask() -> Ask:
    return ask


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
