"""The dead letters: listed newest first, in pieces of bounded work, however many there are."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.record import Record
from smsgate.ledger.records import Records
from smsgate.message import MESSAGE_ID, Lane, MessageId
from smsgate.states import State

# Letters looked at for one page: a filter that fits few of them gets a short page and a cursor, soon.
SCAN: Final = 5_000
# Letters looked at for a count by reason; an operator waits for it about two seconds.
MOST_COUNTED: Final = 100_000
_BATCH: Final = 250
_CURSOR: Final = re.compile(rf"(?P<at>[0-9]{{1,15}})\.(?P<id>{MESSAGE_ID})")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters: a reason that ends in `*` is a beginning; times in Unix milliseconds, both included.

    A `client` sees its own and those that no client owns; None sees all.
    """

    reason: str | None = None
    template: str | None = None
    lane: Lane | None = None
    client: str | None = None
    since: int | None = None
    until: int | None = None

    def fits(self, letter: Mapping[str, str]) -> bool:
        """Say whether a letter is one of these, by its record's fields; its time is seen to by the range."""
        return (
            (self.reason is None or _fits(letter["reason"], self.reason))
            and (self.lane is None or letter["lane"] == self.lane)
            and (self.client is None or letter["client"] in ("", self.client))
            and (self.template is None or letter["template"] == self.template)
        )


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list: after the letter that died at `at` (Unix milliseconds) with this id."""

    at: int
    id: MessageId

    def __str__(self) -> str:
        return f"{self.at}.{self.id}"

    @classmethod
    def read(cls, written: str) -> "Cursor":
        """Read back a written cursor.

        Raises:
            ValueError: It is none.
        """
        found = _CURSOR.fullmatch(written)
        if found is None:
            raise ValueError("is no cursor of this list; give the `next` of the page before, or leave it out")
        return cls(int(found["at"]), MessageId(found["id"]))


@dataclass(frozen=True, slots=True)
class Page:
    """Some letters, and where the next page begins; a page may be short, or empty, and yet not the last."""

    letters: tuple[Record, ...]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many letters there are for each reason, the most first; `complete` unless there are too many to count."""

    by_reason: Mapping[str, int]
    complete: bool

    @property
    def total(self) -> int:
        return sum(self.by_reason.values())


class DeadLetters:
    """The dead letters in one Redis."""

    def __init__(self, client: redis.Redis, records: Records) -> None:
        self._redis = client
        self._records = records
        self._page = client.register_script(scripts.source("dead_page"))
        self._prune = client.register_script(scripts.source("prune_dead"))

    def page(self, which: Filter, *, limit: int, cursor: Cursor | None = None, scan: int = SCAN) -> Page:
        """List up to `limit` letters that fit, after the cursor; looks at no more than `scan`.

        Letters come and go meanwhile; those that are there all the time are listed once.

        Raises:
            StoreUnavailable: Redis is away.
        """
        found: list[MessageId] = []
        place, scanned = cursor, 0
        for place, letter in self._walk(which, cursor, scan):
            scanned += 1
            if letter and which.fits(letter):
                found.append(place.id)
                if len(found) == limit:
                    break
        may_be_more = len(found) == limit or scanned == scan
        more = place if may_be_more and self._entries(which, place, 1) else None
        records = self._records.read_those_readable(found).values() if found else ()
        return Page(tuple(one for one in records if one and one.state is State.DEAD), more)

    def counts(self, which: Filter, *, most: int = MOST_COUNTED) -> Counts:
        """Count the letters that fit by reason, among the newest `most`."""
        reasons = Counter(
            letter["reason"] if letter and which.fits(letter) else None
            for _, letter in self._walk(which, None, most + 1)
        )
        scanned = reasons.total()
        by_reason = {reason: count for reason, count in reasons.most_common() if reason is not None}
        return Counts(by_reason, complete=scanned <= most)

    def died_since(self, since: int) -> int:
        """Count the letters that died at `since` (Unix milliseconds) or later."""
        with border():
            return int(self._redis.zcount(keys.DEAD, since, "+inf"))

    def _walk(
        self, which: Filter, cursor: Cursor | None, most: int
    ) -> Iterator[tuple[Cursor, Mapping[str, str] | None]]:
        """Go through up to `most` letters with what a filter asks of each; None for one that is none any more."""
        while most > 0:
            asked = min(_BATCH, most)
            entries = self._entries(which, cursor, asked)
            yield from zip(entries, self._letters(entries), strict=True)
            if len(entries) < asked:
                return
            cursor, most = entries[-1], most - len(entries)

    def _entries(self, which: Filter, cursor: Cursor | None, count: int) -> list[Cursor]:
        newest: tuple[int | str, str] = ("+inf" if which.until is None else which.until, "")
        if cursor and (which.until is None or cursor.at <= which.until):
            newest = (cursor.at, cursor.id)
        with border():
            flat = cast("list[str]", self._page(keys=[keys.DEAD], args=[*newest, count]))
        found = [Cursor(int(float(at)), MessageId(name)) for name, at in zip(flat[::2], flat[1::2], strict=True)]
        return [one for one in found if which.since is None or one.at >= which.since]

    def _letters(self, entries: Sequence[Cursor]) -> list[Mapping[str, str] | None]:
        names = ("state", "reason", "lane", "client", "template")
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for entry in entries:
                pipe.hmget(keys.record(entry.id), *names)
            values = cast("list[list[str | None]]", pipe.execute())
        known = [{name: value or "" for name, value in zip(names, one, strict=True)} for one in values]
        letters: list[Mapping[str, str] | None] = [one if one["state"] == State.DEAD else None for one in known]
        gone = [entry.id for entry, letter in zip(entries, letters, strict=True) if letter is None]
        if gone:
            with border():
                self._prune(keys=[keys.DEAD, *map(keys.record, gone)], args=gone)
        return letters


def _fits(reason: str, wanted: str) -> bool:
    return reason.startswith(wanted[:-1]) if wanted.endswith("*") else reason == wanted
