"""Times as an operator writes them."""

import time
from datetime import UTC, datetime

import click
import pytest

from smsgate.commands.when import when

CONTEXT = click.Context(click.Command("x"))
OPTION = click.Option(["--since"])


@pytest.mark.parametrize(("written", "seconds"), [("45s", 45), ("30m", 1800), ("2h", 7200), ("7d", 604_800)])
def test_a_span_is_so_long_ago(written: str, seconds: int) -> None:
    read = when(CONTEXT, OPTION, written)
    assert read is not None
    assert abs(time.time() - read / 1000 - seconds) < 5


def test_a_time_is_taken_with_its_zone_or_in_this_machines() -> None:
    assert when(CONTEXT, OPTION, "2026-01-01T08:00:00+08:00") == 1_767_225_600_000
    local = datetime.fromtimestamp(1_767_225_600, UTC).astimezone().replace(tzinfo=None)
    assert when(CONTEXT, OPTION, local.isoformat()) == 1_767_225_600_000


def test_an_option_that_was_not_given_stays_so() -> None:
    assert when(CONTEXT, OPTION, None) is None


@pytest.mark.parametrize("written", ["", "2", "h", "-2h", "2w", "yesterday", "2026-13-01", "9999999h", "0001-01-01"])
def test_anything_else_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(click.BadParameter, match="2h or 7d"):
        when(CONTEXT, OPTION, written)
