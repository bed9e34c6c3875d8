"""What the pages say that can be held against the code."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from smsgate.sandbox.settings import SandboxSettings
from smsgate.settings import Settings, name_of

# Read where they are needed, because they are nobody's but one command's.
_ELSEWHERE = {"SMSGATE_SAMPLE_TO", "SMSGATE_SAMPLE_TEMPLATE", "SMSGATE_TESTS_AMQP_URL"}


def _named(paths: Iterable[Path]) -> set[str]:
    return {name for path in paths for name in re.findall(r"SMSGATE_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def pages(root: Path) -> list[Path]:
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def existing(root: Path) -> set[str]:
    ours = {name_of(field) for field in Settings.model_fields}
    sandbox = {f"SMSGATE_SANDBOX_{field.upper()}" for field in SandboxSettings.model_fields}
    return ours | sandbox | _named([root / "Procfile"])


def test_every_setting_is_told_of(pages: list[Path], existing: set[str]) -> None:
    assert existing - _named(pages) == set()


def test_every_setting_that_is_told_of_exists(pages: list[Path], existing: set[str]) -> None:
    assert _named(pages) - existing - _ELSEWHERE == set()


def test_the_readme_tells_the_defaults(root: Path) -> None:
    rows = re.findall(r"^\| (`SMSGATE_.+?) \| (.*?) \|", (root / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    told = {
        name.strip(" `"): default.strip(" `")
        for names, defaults in rows
        for name, default in zip(names.split(","), [*defaults.split(","), "", ""], strict=False)
    }
    fields = {name_of(name): field.default for name, field in Settings.model_fields.items()}
    plain = {name: default for name, default in fields.items() if isinstance(default, str | int | float)}
    assert {name: told.get(name) for name in plain} == {name: _written(default) for name, default in plain.items()}


def _written(default: str | float) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return default if isinstance(default, str) else f"{default:g}"
