"""What holds for every file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST_FILE = 250
ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "smsgate").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
PATCHES = {"setattr", "delattr", "setitem", "delitem"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_source_file_is_short_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < LONGEST_FILE


def test_a_file_is_named_for_what_it_is() -> None:
    assert [_name(path) for path in SOURCES if path.stem in VAGUE or path.parent.name in VAGUE] == []


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_tests_replace_nothing_of_our_own_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [*_mocks(tree), *_patches(tree)] == []


@pytest.mark.parametrize(
    "replacing",
    [
        "from unittest.mock import patch",
        "from unittest import mock",
        "import unittest.mock",
        "import mock",
        "def test(mocker): pass",
        "import smsgate.phone\ndef test(monkeypatch): monkeypatch.setattr(smsgate.phone, 'parse', str)",
        "from smsgate.phone import Phone\ndef test(monkeypatch): monkeypatch.setattr(Phone, 'masked', '')",
        "from workers import parts as p\ndef test(monkeypatch): monkeypatch.setattr(p, 'submit', str)",
        "def test(monkeypatch): monkeypatch.setattr('workers.parts.submit', str)",
        "from smsgate import settings\ndef test(monkeypatch): monkeypatch.setitem(settings.__dict__, 'x', 1)",
        "from smsgate import settings\nsettings.current = str",
    ],
)
def test_a_replacement_of_our_own_code_would_be_found(replacing: str) -> None:
    tree = ast.parse(replacing)
    assert [*_mocks(tree), *_patches(tree)]


@pytest.mark.parametrize(
    "harmless",
    [
        "import time\ndef test(monkeypatch): monkeypatch.setattr(time, 'monotonic', float)",
        "def test(monkeypatch): monkeypatch.setenv('SMSGATE_SIGN', 'x')",
        "def test(monkeypatch, tmp_path): monkeypatch.chdir(tmp_path)",
    ],
)
def test_a_fake_of_time_or_environment_is_none(harmless: str) -> None:
    tree = ast.parse(harmless)
    assert [*_mocks(tree), *_patches(tree)] == []


def _mocks(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(one.name in ("mock", "unittest.mock") for one in names):
                yield f"line {node.lineno}: import of a mock"
            case ast.ImportFrom(module="mock" | "unittest.mock"):
                yield f"line {node.lineno}: import of a mock"
            case ast.ImportFrom(module="unittest", names=names) if any(one.name == "mock" for one in names):
                yield f"line {node.lineno}: import of a mock"
            case ast.arg(arg="mocker"):
                yield f"line {node.lineno}: mocker"


def _patches(tree: ast.Module) -> Iterator[str]:
    ours = set(_our_names(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=attribute), args=[target, *_]) if attribute in PATCHES:
                if _root(target) in ours or _is_our_path(target):
                    yield f"line {node.lineno}: {attribute} on our own code"
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name))]) if name in ours:
                yield f"line {node.lineno}: assignment to our own code"


def _our_names(tree: ast.Module) -> Iterator[str]:
    """Name what a test file has imported from us."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (one.asname or "" for one in names if _is_ours(one.name))
                yield from (one.name.split(".")[0] for one in names if _is_ours(one.name))
            case ast.ImportFrom(module=str(module), names=names) if _is_ours(module):
                yield from (one.asname or one.name for one in names)


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_our_path(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_ours(node.value)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("smsgate", "workers")
