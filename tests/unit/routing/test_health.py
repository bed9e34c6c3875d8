"""Counts and times of a channel's calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgate.routing.health import BUCKETS, DELAYS, LATENCIES, METRICS, Health, bucket, quantile


def test_buckets_reach_from_a_sandbox_to_every_time_limit() -> None:
    assert (LATENCIES[0], LATENCIES[-1]) == pytest.approx((0.005, 30.0))
    assert (DELAYS[0], DELAYS[-1]) == pytest.approx((0.5, 900.0))
    assert (bucket(LATENCIES, 0.0), bucket(LATENCIES, 100.0)) == (0, BUCKETS - 1)


@given(st.lists(st.floats(0.0051, 30.0), min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_right_to_the_width_of_a_bucket(times: list[float], share: float) -> None:
    counts = [0] * BUCKETS
    for one in times:
        counts[bucket(LATENCIES, one)] += 1
    exact = sorted(times)[max(-(-int(share * 100) * len(times) // 100) - 1, 0)]
    read = quantile(LATENCIES, counts, share)
    assert read is not None
    assert exact / 1.79 <= read <= exact * 1.79


def test_of_nothing_there_is_no_quantile_and_no_share() -> None:
    nothing = Health()
    assert [nothing.latency(0.5), nothing.success, nothing.arrival, nothing.delay(0.5)] == [None] * 4


def test_healths_add_up() -> None:
    one, other = Health(ok=3, failed=1), Health(ok=1, throttled=2)
    for metric in METRICS:
        one.count(metric, 1)
    one.count("of a later version", 1)
    one.add(other)
    assert (one.ok, one.failed, one.throttled, one.calls, one.sent) == (5, 2, 3, 12, 1)
    assert one.latencies == one.delays == [1] * BUCKETS
    assert one.success == 5 / 8
