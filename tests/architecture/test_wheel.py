"""What is installed is what is here, and works without it."""

import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(build, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_file_of_ours_is_in_the_wheel(names: set[str], root: Path) -> None:
    """Scripts, pages and markers too, not only the modules."""
    here = {
        str(path.relative_to(root))
        for package in ("smsgate", "workers")
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here - names == set()


def test_the_wheel_has_the_scripts_the_settings_the_pages_and_the_type_markers(names: set[str]) -> None:
    assert {"smsgate/ledger/lua/accept.lua", "smsgate/ledger/lua/move.lua", "workers/celeryconfig.py"} <= names
    assert {"smsgate/py.typed", "workers/py.typed"} <= names
    assert [name for name in names if name.startswith("smsgate/sandbox/static/")]


def test_the_wheel_brings_nothing_else(names: set[str]) -> None:
    """A top-level celeryconfig would stand in for that of the program into which it is installed."""
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"smsgate", "workers"}


INSTALLED = """
import json, sys
import smsgate, workers
from smsgate.ledger import scripts
from workers.app import app
from workers.tasks import send_sms
app.loader.import_default_modules()
print(json.dumps({
    "places": [smsgate.__file__, workers.__file__],
    "settings": [app.conf.task_acks_late, app.conf.accept_content],
    "scripts": [bool(scripts.source(name)) for name in ("accept", "move", "store_push")],
    "top": "celeryconfig" in sys.modules,
}))
"""


def test_the_wheel_works_alone_from_an_empty_folder(ask: Callable[..., Any], wheel: Path, tmp_path: Path) -> None:
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    # The interpreter below the environment: it knows neither the environment nor the link to these sources in it.
    python = getattr(sys, "_base_executable", sys.executable)
    path = f"{installed}:{sysconfig.get_path('purelib')}"
    known = ask(INSTALLED, cwd=elsewhere, python=python, environment={"PYTHONPATH": path})
    assert all(place.startswith(str(installed)) for place in known["places"])
    assert known["settings"] == [True, ["json"]]
    assert known["scripts"] == [True, True, True]
    assert known["top"] is False
