"""What the limits at the door have counted, in Redis: the same for every process that accepts messages."""

from collections.abc import Iterable, Sequence
from typing import Any

import redis
from hiredis import pack_command
from redis.exceptions import NoScriptError

from smsgate.ledger.connection import border
from smsgate.ledger.counter import TEXTS, Command, Counter, Room
from smsgate.ledger.idle import Idle
from smsgate.ledger.turns import AT_ONCE, in_turn, slices

# Permits by counter.
Permits = Sequence[tuple[Counter, int]]


class Quotas:
    """The counters in one Redis; a call is one round trip, or one for each 25 counters. Times are Unix milliseconds.

    A call whose answer was lost is made again, as the client's tries have it, and may count twice: never too little.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._connections = Idle(client)

    def read(self, counters: Sequence[Counter], now: int) -> list[Room]:
        """Say what each lets through still.

        Raises:
            StoreUnavailable: Redis is away or silent.
        """
        answers = self._answers([one.read(now) for one in counters])
        return [one.room(answer, now) for one, answer in zip(counters, answers, strict=True)]

    def take(self, permits: Permits, now: int) -> list[bool]:
        """Take permits, of each counter all or none; says of which it got them.

        Raises:
            StoreUnavailable: Redis is away or silent; some may be taken.
        """
        answers = self._answers([one.take(count, now) for one, count in permits])
        return self._taken(permits, answers, now)

    def read_and_take(self, counter: Counter, count: int, now: int) -> tuple[Room, bool]:
        """Do both in one; what there was before is told.

        Raises:
            StoreUnavailable: Redis is away or silent; some may be taken.
        """
        known, answer = self._answers([counter.read(now), counter.take(count, now)])
        return counter.room(known, now), self._taken([(counter, count)], [answer], now)[0]

    def give_back(self, permits: Permits, now: int) -> None:
        """Give permits back that were not used.

        Raises:
            StoreUnavailable: Redis is away or silent; they count until their time is over.
        """
        self._answers([one.give_back(count, now) for one, count in permits])

    def _taken(self, permits: Permits, answers: Iterable[Any], now: int) -> list[bool]:
        taken = [one.is_taken(answer) for (one, _), answer in zip(permits, answers, strict=True)]
        self.give_back(
            [pair for pair, is_ok in zip(permits, taken, strict=True) if pair[0].counts_refused > is_ok], now
        )
        return taken

    def _answers(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        with border():
            answers = self._asked_in_turn(commands)
            unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if unknown:
                self._tell({str(commands[place][1]) for place in unknown})
                again = self._asked([commands[place] for place in unknown])
                for place, answer in zip(unknown, again, strict=True):
                    answers[place] = answer
            for answer in answers:
                if isinstance(answer, redis.RedisError):
                    raise answer
        return answers

    def _asked_in_turn(self, commands: Sequence[Command]) -> list[Any]:
        """Ask a slice at a time where it is about many recipients: a code need not wait for all of them."""
        if len(commands) <= AT_ONCE:
            return self._asked(commands)
        answers: list[Any] = []
        for some in slices(commands):
            with in_turn():
                answers += self._asked(some)
        return answers

    def _asked(self, commands: Sequence[Command]) -> list[Any]:
        packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type]  # its stub takes one element only
        return self._connections.exchange(packed, lambda connection: [_answer(connection) for _ in commands])

    def _tell(self, digests: Iterable[str]) -> None:
        """Bring Redis scripts that it does not know: it was restarted, or failed over."""
        for digest in digests:
            self._redis.script_load(TEXTS[digest])


def _answer(connection: Any) -> Any:
    """Read one answer, also where it is an error: those of the others come behind it."""
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error
