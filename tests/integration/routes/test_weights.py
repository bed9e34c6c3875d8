"""A channel that fails loses its share while it does: real workers, beat, two real providers."""

import time

import pytest

from tests.integration.nodes.until import until
from tests.integration.routes.conftest import Routed

# Codes a second: few enough for a busy machine, enough to be sure of 30 % within seconds.
RATE = 20


def _weight(routed: Routed, channel: str) -> float:
    """Read what the worst of a channel's weights is."""
    known = routed.gateway.redis.hgetall("sms:channels:weights")
    return min((float(weight) for kind, weight in known.items() if kind.startswith(f"{channel}|")), default=1.0)


def _send(routed: Routed, seconds: float) -> list[str]:
    ids, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        ids.append(routed.gateway.send())
        time.sleep(1 / RATE)
    return ids


def _by_main(routed: Routed, ids: list[str]) -> float:
    """Give the share of messages that went by `main` first."""
    taken = [routed.gateway.until_state(one, "delivered", within=30) for one in ids]
    first = [next(event for event in one["timeline"] if event["state"] == "sending") for one in taken]
    return sum(event["channel"] == "main" for event in first) / len(ids)


@pytest.mark.timeout(180)
def test_a_channel_with_errors_loses_its_share_and_no_message(routed: Routed) -> None:
    routed.declare(strategy="weighted")
    before = until(lambda: share if (share := _by_main(routed, _send(routed, 1))) < 1 else 0, "the file is obeyed")
    routed.main.fault(kind="unavailable", probability=0.3)
    try:
        until(lambda: _send(routed, 1) and _weight(routed, "main") < 0.2, "its weight fell", within=60)
        time.sleep(1.0)  # until the worker's pulse has brought it
        after = _by_main(routed, _send(routed, 3))
    finally:
        routed.main.clear_faults()
        routed.declare()
    assert after < 0.25
    assert before > after
    assert _weight(routed, "backup") == 1.0


def test_without_health_the_file_has_the_last_word(routed: Routed) -> None:
    _send(routed, 1)
    until(lambda: routed.gateway.redis.exists("sms:channels:weights"), "weights are worked out")
    routed.declare("[health]\nenabled = false")
    until(lambda: not routed.gateway.redis.exists("sms:channels:weights", "sms:channels:health"), "they are forgotten")
    routed.declare()
