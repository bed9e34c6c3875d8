"""What a worker does that has outlasted some trouble of Redis: it delivers, the same process as before."""

from typing import Final

from tests.integration.nodes.gateway import Gateway, fresh_phone, otp_to
from tests.integration.nodes.until import until

# Seconds in which a worker must have found its way back.
RECOVERY: Final = 30.0


def assert_same_worker_delivers(gateway: Gateway, number: int = 8) -> None:
    """More than the worker takes at a time: a place that stays occupied would show."""
    assert gateway.worker is not None
    ids = [_send(gateway) for _ in range(number)]
    for message_id in ids:
        gateway.until_state(message_id, "delivered", within=RECOVERY)
        assert len(gateway.received(message_id)) == 1
    gateway.until_idle()
    assert gateway.worker.runs(), gateway.worker.every_log()[-3000:]


def _send(gateway: Gateway) -> str:
    answer = until(
        lambda: [found] if (found := gateway.post(otp_to(fresh_phone()))).status_code == 202 else [],
        "a message is accepted",
        RECOVERY,
    )
    return str(answer[0].json()["id"])


def until_looked_at(gateway: Gateway) -> None:
    """Wait until a worker has looked for what dead workers held, which it does every 5 s, whatever Redis refuses."""

    def looks() -> int:
        return int(gateway.redis.info("commandstats")["cmdstat_zrange"]["calls"])

    before = looks()
    until(lambda: looks() > before, "a worker has looked after the broker")
