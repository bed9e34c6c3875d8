"""What a message weighs from its acceptance to its end, by what the bytes are for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import redis

from bench import orders
from bench.cost.stage import Stage, stage, wait_for
from bench.cost.weight import by_kind
from bench.drain import standing
from smsgate.ledger import keys
from smsgate.message import Lane

_LONGEST: Final = 300.0


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes for each message, by what they are for."""

    when: str
    kinds: dict[str, float]

    @property
    def whole(self) -> float:
        return sum(self.kinds.values())


def row_of_a_batch(size: int) -> list[Weight]:
    """Weigh the rows of batches."""
    with stage("bulk", reports=True) as system:
        return _weighed(system, size, lambda: system.upload(size))


def code(size: int) -> list[Weight]:
    """Weigh codes, each of which leaves by itself."""
    with stage("otp", reports=True) as system:
        return _weighed(system, size, lambda: orders.accept(system.gateway, (orders.otp() for _ in range(size))))


def _weighed(system: Stage, size: int, enqueue: Callable[[], object]) -> list[Weight]:
    client = system.redis
    before = by_kind(client)

    def weight(when: str) -> Weight:
        return Weight(when, {name: (taken - before.get(name, 0)) / size for name, taken in by_kind(client).items()})

    with standing(system.worker):
        enqueue()
        queued = weight("queued")
    wait_for(lambda: -_open(client), 0, _LONGEST)
    return [queued, weight("delivered")]


def _open(client: redis.Redis) -> int:
    """Count the messages that have not come to an end."""
    indexes = (*map(keys.due, Lane), keys.UNCERTAIN, keys.SILENT)
    return sum(int(client.zcard(index)) for index in indexes) + int(client.zcard(keys.PUSHES_WAITING))
