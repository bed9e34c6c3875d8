from datetime import datetime, timedelta

import pytest

from smsgate.channels.aliyun.days import days_of, is_too_old
from smsgate.channels.channel import Inquiry
from smsgate.channels.fields import SHANGHAI
from smsgate.message import MessageId
from smsgate.phone import parse


def at(written: str) -> int:
    return int(datetime.fromisoformat(written).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def days(since: str, until: str | None = None) -> list[str]:
    inquiry = Inquiry(MessageId("m-1"), parse("13900000001"), at(since), at(until or since))
    return [f"{day:%Y%m%d}" for day in days_of(inquiry)]


def test_an_attempt_by_day_is_asked_about_on_its_day_alone() -> None:
    assert days("2026-01-02 12:00") == ["20260102"]


def test_a_day_is_shanghais_whatever_the_day_elsewhere() -> None:
    assert days("2026-01-02 06:00") == ["20260102"]  # still the first in UTC


@pytest.mark.parametrize("before_midnight", ["2025-12-31 23:59:59", "2025-12-31 23:41"])
def test_an_attempt_just_before_midnight_may_be_stamped_with_the_next_day(before_midnight: str) -> None:
    assert days(before_midnight) == ["20251231", "20260101"]


@pytest.mark.parametrize("after_midnight", ["2026-01-01 00:00", "2026-01-01 00:14:59"])
def test_an_attempt_just_after_midnight_may_be_stamped_with_the_day_before(after_midnight: str) -> None:
    assert days(after_midnight) == ["20251231", "20260101"]


def test_every_day_from_the_first_attempt_to_the_last_is_asked_about() -> None:
    assert days("2026-02-27 12:00", "2026-03-01 12:00") == ["20260227", "20260228", "20260301"]


def test_attempts_that_are_named_the_wrong_way_round_lose_no_day() -> None:
    assert days("2026-03-01 12:00", "2026-02-28 12:00") == ["20260228", "20260301"]


@pytest.mark.parametrize(("days_ago", "too_old"), [(0, False), (29, False), (30, True), (31, True)])
def test_the_provider_knows_today_and_the_29_days_before_it(days_ago: int, too_old: bool) -> None:
    now = datetime(2026, 3, 1, 0, 30, tzinfo=SHANGHAI)

    assert is_too_old(now.date() - timedelta(days=days_ago), now=now.timestamp()) is too_old


def test_the_number_is_masked_where_an_inquiry_is_shown() -> None:
    inquiry = Inquiry(MessageId("m-1"), parse("13900000001"), 0, 1)

    assert "13900000001" not in repr(inquiry)
    assert "+86139****0001" in repr(inquiry)
