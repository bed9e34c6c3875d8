"""The adaptive rate against providers that throttle, in simulated time."""

from collections.abc import Callable

import pytest

from bench.throttling import Bucket, Call, Provider, Scene, Windows
from smsgate.routing.pacing import FORGET, LEAST, Cut, cut_down, effective, hold

# By the second of its clock, as accounts are throttled; by a bucket of a second; by a small bucket.
KINDS: dict[str, Callable[[int], Provider]] = {
    "windows": lambda seed: Windows(phase=seed * 0.19 % 1),
    "bucket": lambda _seed: Bucket(),
    "small bucket": lambda _seed: Bucket(depth=0.1),
}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_seed = pytest.mark.parametrize("seed", range(1, 4))


def _scene(kind: str, seed: int, limit: Callable[[float], float], threads: int = 32, **more: float) -> Scene:
    return Scene(KINDS[kind](seed), limit, 1000, threads=threads, seed=seed, **more)


def _throttled(calls: list[Call], since: float, until: float) -> int:
    return sum(not call.taken for call in calls if since <= call.at < until)


def _taken(calls: list[Call], since: float, until: float) -> float:
    """Give the calls a second that were taken."""
    return sum(call.taken for call in calls if since <= call.at < until) / (until - since)


@each_kind
@each_seed
def test_a_limit_far_below_what_was_declared_is_kept_at_once_and_made_use_of(kind: str, seed: int) -> None:
    """Calls for 1,000 a second where 100 are taken; 32 of them under way at a time."""
    calls = list(_scene(kind, seed, lambda _at: 100).calls(60))
    assert _throttled(calls, 0, 2) <= 60
    assert _throttled(calls, 5, 60) <= 30  # of 5,400
    assert 95 <= _taken(calls, 10, 60) <= 101


@each_kind
@each_seed
def test_a_limit_that_falls_is_kept_and_one_that_rises_is_found(kind: str, seed: int) -> None:
    """100 threads, under way with 1,000 calls a second, of which 100 are taken from one moment on."""
    scene = _scene(kind, seed, lambda at: 1000 if at < 5 or at >= 45 else 100, threads=100)
    calls = list(scene.calls(90))
    assert _throttled(calls, 5, 7) <= 350
    assert _throttled(calls, 10, 45) <= 100  # of 3,500
    assert 93 <= _taken(calls, 10, 45) <= 102
    assert _taken(calls, 85, 90) >= 950


@each_kind
def test_a_limit_that_rises_a_little_is_found_within_half_a_minute(kind: str) -> None:
    calls = list(_scene(kind, 1, lambda at: 100 if at < 30 else 150).calls(70))
    assert _taken(calls, 60, 70) >= 140


@each_kind
def test_a_provider_that_takes_nothing_is_asked_once_a_second(kind: str) -> None:
    calls = list(_scene(kind, 1, lambda at: 1000 if at < 5 else 0).calls(30))
    assert _throttled(calls, 10, 30) <= 25


@each_kind
def test_a_provider_that_answers_slowly_is_paced_too(kind: str) -> None:
    calls = list(_scene(kind, 1, lambda _at: 100, threads=150, latency=0.8).calls(60))
    assert 85 <= _taken(calls, 20, 60) <= 101
    assert _throttled(calls, 10, 60) <= 250  # of 5,000


def test_the_rate_does_not_rise_past_twice_what_is_used() -> None:
    cut = Cut(100, at=0)
    assert effective(1000, cut, 60, used=20) == 100
    assert effective(1000, cut, 60, used=80) == 160
    assert effective(1000, cut, 60, used=900) == 1000


def test_a_cut_is_forgotten() -> None:
    cut = Cut(100, at=0)
    assert effective(1000, cut, FORGET - 1, used=0) == 100
    assert effective(1000, cut, FORGET, used=0) == 1000


def test_the_rate_never_falls_to_nothing() -> None:
    assert cut_down(1000, None, 0, 0, accepted=0).rate == LEAST
    assert cut_down(0.5, None, 0, 0, accepted=0).rate == 0.5


def test_a_rate_that_is_declared_lower_than_a_cut_holds() -> None:
    assert effective(50, Cut(100, at=0), 1, used=0) == 50


def test_the_time_that_a_provider_names_is_believed_as_far_as_half_a_minute() -> None:
    assert [hold(Cut(1, 0), wait) for wait in (None, 0.01, 2.0, 3600.0)] == [0.05, 0.05, 2.0, 30.0]
