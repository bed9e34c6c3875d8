"""Which clients and which templates are paused, by whom and why."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import redis

from smsgate.ledger import keys
from smsgate.ledger.connection import border
from smsgate.ledger.lanes import TRUST, Pause
from smsgate.ledger.record import Record


class Kind(StrEnum):
    """Whose messages a pause holds."""

    CLIENT = "client"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Subject:
    """A client or a template."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def read(cls, written: str) -> "Subject":
        kind, _, name = written.partition(":")
        return cls(Kind(kind), name)


class Pauses:
    """The pauses in one Redis. Everything here raises StoreUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._trusted: tuple[float, Mapping[Subject, Pause]] = (float("-inf"), {})

    def all(self) -> dict[Subject, Pause]:
        """Read what is paused now."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.PAUSES_OF))
        return {Subject.read(written): Pause.read(line) for written, line in known.items()}

    def lately(self) -> Mapping[Subject, Pause]:
        """Tell what is paused; what was read is trusted for `TRUST` seconds, so that this costs nothing."""
        now = time.monotonic()
        if now - self._trusted[0] >= TRUST:
            self._trusted = (now, self.all())
        return self._trusted[1]

    def of(self, record: Record) -> Subject | None:
        """Name what is paused and holds a message, if anything does."""
        paused = self.lately()
        if not paused:
            return None
        template = record.message.template if record.message else ""
        subjects = (Subject(Kind.TEMPLATE, template), Subject(Kind.CLIENT, record.client))
        return next((one for one in subjects if one in paused), None)

    def pause(self, subject: Subject, pause: Pause) -> None:
        with border():
            self._redis.hset(keys.PAUSES_OF, str(subject), pause.line())
        self._forget()

    def resume(self, subject: Subject) -> bool:
        """Let a client or a template go on; False when it was not paused."""
        with border():
            was = bool(self._redis.hdel(keys.PAUSES_OF, str(subject)))
        self._forget()
        return was

    def _forget(self) -> None:
        self._trusted = (float("-inf"), {})
