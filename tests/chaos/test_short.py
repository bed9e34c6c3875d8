"""The promise, held against everything at once, in the time that `make test` has; `make chaos` is the long proof."""

import pytest

from tests.chaos import table
from tests.chaos.rehearsal import Plan, rehearse
from tests.chaos.scenarios import ALL_AT_ONCE_SHORT


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_sent_twice_when_everything_goes_wrong_at_once() -> None:
    said: list[str] = []
    result = rehearse(ALL_AT_ONCE_SHORT, Plan(messages=300, drain_deadline=120), said.append)

    assert result.verdict.accepted == 300
    assert result.verdict.rows == 150
    assert result.toll["workers killed"]
    assert result.toll["redis killed"]
    assert result.toll["web killed"]
    assert result.verdict.kept, "\n".join([*said, table.markdown([result]), *table.details(result)])
