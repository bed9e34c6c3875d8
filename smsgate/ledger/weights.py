"""The weights of channels, which all processes get with their pulse, and the state that they come of."""

from collections.abc import Iterator, Mapping
from typing import cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.routing.traffic import Kind
from smsgate.routing.weights import FORGOTTEN


class Weights:
    """The weights in one Redis. Everything here raises StoreUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._replace = client.register_script(scripts.source("replace_weights"))

    def read(self) -> tuple[str, float]:
        """Read the state as it was written, '' where there is none, and Redis's own time in Unix seconds."""
        with border():
            pipe = self._redis.pipeline(transaction=False)
            pipe.get(keys.CHANNEL_STATE)
            pipe.time()
            written, (seconds, micros) = cast("tuple[str | None, tuple[int, int]]", pipe.execute())
        return written or "", seconds + micros / 1e6

    def replace(self, before: str, state: str, weights: Mapping[Kind, float]) -> bool:
        """Replace state and weights (each 0 to 1), if the state is `before` still; False when another was quicker."""
        with border():
            done = self._replace(
                keys=[keys.CHANNEL_STATE, keys.CHANNEL_WEIGHTS],
                args=[before, state, int(FORGOTTEN), *_laid_out(weights)],
            )
        return bool(done)

    def clear(self) -> None:
        """Forget state and weights: every channel counts as well."""
        with border():
            self._redis.delete(keys.CHANNEL_STATE, keys.CHANNEL_WEIGHTS)


def _laid_out(weights: Mapping[Kind, float]) -> Iterator[str]:
    for kind, weight in weights.items():
        yield from (str(kind), f"{weight:.4g}")
