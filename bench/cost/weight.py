"""What messages weigh in Redis: the whole, and by what kind of key it is."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import redis

RECORDS: Final = "records"
INDEXES: Final = "indexes and counts"
QUEUES: Final = "queues and groups"
TABLES: Final = "tables of keys and expiries"
KINDS: Final = (RECORDS, INDEXES, QUEUES, TABLES)
# What Redis spends on its clients, its file and its scripts is not the messages'.
_NOT_STORED: Final = ("startup.allocated", "clients.normal", "clients.slaves", "aof.buffer", "lua.caches")
_BATCH: Final = 500
_QUEUES: Final = ("sms.", "sms:group:", "sms:groups:", "unacked")


def stored(client: redis.Redis) -> int:
    """Give the bytes that Redis holds for what it stores: quick, and some hundred thousand too many.

    Buffers that it keeps are in it; `by_kind` has none of them, and looks at every key.
    """
    known: dict[str, Any] = client.memory_stats()
    return int(known["total.allocated"]) - sum(int(known.get(name, 0)) for name in _NOT_STORED)


def by_kind(client: redis.Redis) -> dict[str, int]:
    """Sum MEMORY USAGE over all keys, by what they are for, and the tables in which Redis finds them."""
    found: Counter[str] = Counter()
    for names in _slices(iter(client.scan_iter(count=_BATCH))):
        pipe = client.pipeline(transaction=False)
        for name in names:
            pipe.memory_usage(name, samples=0)
        for name, taken in zip(names, pipe.execute(), strict=True):
            found[kind(name)] += taken or 0
    found[TABLES] = sum(client.memory_stats()["db.0"].values())
    return dict(found)


def kind(key: str) -> str:
    """Say what a key is for."""
    if key.startswith(("sms:msg:", "sms:batch:", "sms:chunk:")):
        return RECORDS
    return QUEUES if key.startswith(_QUEUES) else INDEXES


def _slices(names: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(names, _BATCH)):
        yield some
