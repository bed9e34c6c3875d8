"""Dramatiq: `dramatiq dramatiq_peer --processes 1 --threads 8`."""

from collections.abc import Iterable

import dramatiq
import sms
from dramatiq.brokers.redis import RedisBroker

# A dead worker's messages are looked for in a thousandth of the calls; an idle worker makes about one a second.
PATIENT = {"heartbeat_timeout": sms.PATIENCE * 1000, "maintenance_chance": 200_000} if sms.PATIENCE else {}
dramatiq.set_broker(RedisBroker(url=sms.REDIS, **PATIENT))


@dramatiq.actor
def send(number: int) -> None:
    """Send one code."""
    sms.send(number)


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one after the other."""
    for number in numbers:
        send.send(number)
