"""The official Node SDK sends through the sandbox as well: it is not Python's SDK that the protocol was bent to."""

import hashlib
import json
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smsgate.sandbox.process import SandboxProcess

PROJECT = Path(__file__).parent / "node_sdk"
NODE, NPM = shutil.which("node"), shutil.which("npm")

pytestmark = pytest.mark.skipif(not (NODE and NPM), reason="needs node and npm on the PATH")


@pytest.fixture(scope="module")
def project(pytestconfig: pytest.Config) -> Path:
    """The project with its locked packages, installed once for each version of the lock."""
    lock = hashlib.sha256((PROJECT / "package-lock.json").read_bytes()).hexdigest()[:16]
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir(f"node_sdk_{lock}")
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    if not (folder / "installed").exists():
        _install(folder)
        (folder / "installed").touch()
    return folder


def _install(folder: Path) -> None:
    command = [str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"npm ci failed: {done.stderr[-300:]}")


def sent(project: Path, sandbox: SandboxProcess, *more: str) -> dict[str, Any]:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).strftime("%Y%m%d")
    command = [str(NODE), "send.mjs", sandbox.endpoint, today, *more]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_the_node_sdk_sends_and_asks(project: Path, sandbox: SandboxProcess) -> None:
    answers = sent(project, sandbox)
    assert {name: answer["code"] for name, answer in answers.items()} == {"sms": "OK", "batch": "OK", "details": "OK"}
    (detail,) = answers["details"]["smsSendDetailDTOs"]["smsSendDetailDTO"]
    assert detail["content"] == "【阿里云短信测试】您的验证码为：123456，请勿泄露于他人！"
    assert {(message["phone"], message["out_id"]) for message in sandbox.messages()} == {
        ("13800138000", "node ~*'()!/云"),
        ("13800138001", "node ~*'()!/云"),
        ("13800138002", ""),
        ("13800138003", ""),
    }


def test_the_node_sdk_is_refused_with_a_wrong_secret(project: Path, sandbox: SandboxProcess) -> None:
    answers = sent(project, sandbox, "wrong")
    assert answers["sms"] == {"raised": "SignatureDoesNotMatch", "status": 400}
    assert answers["batch"] == {"raised": "SignatureDoesNotMatch", "status": 400}
    assert sandbox.messages() == []
