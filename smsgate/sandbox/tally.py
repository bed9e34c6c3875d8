"""How many calls came, and how each of them ended."""

from collections import Counter, defaultdict


class Tally:
    """Count calls by action and by how they ended: a code, or what the connection went through."""

    def __init__(self) -> None:
        self._by_action: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(self, action: str, ending: str) -> None:
        self._by_action[action][ending] += 1

    def shown(self) -> dict[str, object]:
        return {
            "total": sum(endings.total() for endings in self._by_action.values()),
            "by_action": {action: dict(endings) for action, endings in self._by_action.items()},
        }

    def clear(self) -> None:
        self._by_action.clear()
