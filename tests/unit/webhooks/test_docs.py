"""What docs/webhooks.md tells receivers to do is true."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from smsgate.flow.notify import BACKOFF
from smsgate.webhooks.signature import new_secret, sign

PAGE = (Path(__file__).parents[3] / "docs/webhooks.md").read_text(encoding="utf-8")


@pytest.fixture
def verify() -> Any:
    """The example that needs no library."""
    (example,) = (code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def verify" in code)
    names: dict[str, Any] = {}
    exec(example, names)
    return names["verify"]


def test_the_example_verifies_during_a_rotation_and_refuses_everything_else(verify: Any) -> None:
    new, old = new_secret(), new_secret()
    now = int(time.time())
    headers = sign(b"{}", webhook_id="m1-4", at=now, valid=[new, old])
    assert verify(new, headers, b"{}")
    assert verify(old, headers, b"{}")
    assert not verify(new_secret(), headers, b"{}")
    assert not verify(new, headers, b"{} ")
    assert not verify(new, sign(b"{}", webhook_id="m1-4", at=now - 301, valid=[new]), b"{}")


def test_the_waits_between_attempts_are_the_ones_named() -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    (row,) = (line for line in PAGE.splitlines() if line.startswith("| anything else"))
    named = [int(number) * units[unit] for number, unit in re.findall(r"(\d+) (s|min|h)\b", row.split("|")[2])]
    assert tuple(named) == BACKOFF
