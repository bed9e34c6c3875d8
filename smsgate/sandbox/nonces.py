"""Nonces that have been used, so that no request is taken twice."""

from typing import Final

# A request may be dated 15 minutes ahead and stays valid for 15 minutes after that.
LIFETIME: Final = 1800.0


class Nonces:
    """Remember each nonce for half an hour, and at most `capacity` of them.

    Under a load of more than `capacity` in half an hour the oldest are forgotten first: a replay of one of
    those would pass. That is the price of bounded memory, about 150 bytes a nonce.
    """

    def __init__(self, capacity: int = 200_000, lifetime: float = LIFETIME) -> None:
        self._capacity = capacity
        self._lifetime = lifetime
        self._until: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def use(self, nonce: str, now: float) -> bool:
        """Take a nonce for the first and only time; say False where it has been used."""
        self._forget(now)
        if nonce in self._until:
            return False
        self._until[nonce] = now + self._lifetime
        return True

    def _forget(self, now: float) -> None:
        """Drop from the old end; the dict keeps the order in which nonces came."""
        while self._until:
            oldest = next(iter(self._until))
            if len(self._until) < self._capacity and self._until[oldest] > now:
                return
            del self._until[oldest]
