"""What counts a limit in Redis: by the scripts of `limits` and of throttled-py, one permit or many at a time.

Their Python makes one call after the other; here the same scripts go out together, because a piece of a batch asks for
a hundred recipients. tests/ledger/test_counters.py holds what is counted against what the libraries read of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from typing import Any, Final, Protocol

from smsgate.ledger import scripts

Command = tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """What a counter lets through still, in how many seconds one more, and for how many what is left should last."""

    remaining: int
    frees_in: float
    lasts: float


class Counter(Protocol):
    """One limit, for one subject. Times are Unix milliseconds; what Redis answers to a command goes back in."""

    @property
    def key(self) -> str: ...

    @property
    def counts_refused(self) -> bool:
        """Whether permits that were refused have to be given back."""

    def read(self, now: int) -> Command:
        """Ask what is left."""

    def room(self, answer: Any, now: int) -> Room:
        """Understand the answer to that."""

    def after(self, room: Room, permits: int) -> Room:
        """Say what is left when so many have been taken of it."""

    def take(self, permits: int, now: int) -> Command:
        """Take so many, or none."""

    def is_taken(self, answer: Any) -> bool:
        """Understand the answer to that."""

    def give_back(self, permits: int, now: int) -> Command:
        """Give back what was taken a moment ago."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the digest under which Redis knows it."""

    text: str
    sha: str

    def on(self, names: Sequence[str], *args: float) -> Command:
        return ("EVALSHA", self.sha, len(names), *names, *args)


# By its digest, what a Redis has to be told that was restarted.
TEXTS: Final[dict[str, str]] = {}


# The libraries are loaded when something is counted: producers without limits do without.


@cache
def of_limits(name: str) -> Script:
    from limits.storage.redis import RedisStorage  # noqa: PLC0415 - see above

    return _known(getattr(RedisStorage, name).decode())


@cache
def of_throttled(name: str) -> Script:
    from throttled.rate_limiter import gcra  # noqa: PLC0415 - see above

    return _known(getattr(gcra, name).SCRIPTS)


@cache
def ours(name: str) -> Script:
    return _known(scripts.source(name))


def _known(text: str) -> Script:
    script = Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())
    TEXTS[script.sha] = text
    return script
