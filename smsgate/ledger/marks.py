"""Marks in the queues of a broker that cannot be looked into: how far each lane has been worked off.

A mark is a task like the others. What was queued before it has left the queue when it comes out, because queues are
worked off in the order in which they were filled. That holds for any broker, empty or with the backlog of a day, and
whether or not it can count.
"""

from typing import Final, cast
from uuid import uuid4

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.envelope import seal
from smsgate.message import Lane
from smsgate.queues import LANE_QUEUES, TaskName

# Milliseconds. A mark speaks for what was queued so long before it: clocks differ, what is accepted reaches its queue
# a little later than it says, and two who hand on at once may overtake each other.
SLACK: Final = 10_000
# Between two marks of a lane, and as much more for each since the last that came out: so they do not fill a queue that
# nobody works off (190 in a day), and one that is lost is made up for.
OFTEN: Final = 5_000


class Marks:
    """The marks in one Redis, and the queues that lead away from it."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._put_in = client.register_script(scripts.source("put_mark"))
        self._pass = client.register_script(scripts.source("pass_mark"))

    def worked_off(self, lane: Lane, now: int) -> int | None:
        """Tell up to when (Unix milliseconds) every task of a lane has left its queue; None where that is not known.

        Puts the next mark where it is time to.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for key in (keys.MARKS_PUT, keys.MARKS_OUT, keys.MARKS_PASSED):
                pipe.zscore(key, lane)
            put, out, passed = cast("list[float | None]", pipe.execute())
        # One put in the future was put by a clock that was wrong for a while: the next must not wait for its time.
        if put is None or now - put >= OFTEN * (1 + (out or 0)) or put > now + SLACK:
            self._put(lane, now)
        return None if passed is None or passed > now + SLACK else int(passed) - SLACK

    def passed(self, lane: Lane, at: int, now: int) -> None:
        """Note that a mark has come out that was put at `at` (Unix milliseconds).

        Raises:
            StoreUnavailable: Redis is away.
        """
        with border():
            self._pass(keys=[keys.MARKS_OUT, keys.MARKS_PASSED], args=[lane, at, now + SLACK])

    def _put(self, lane: Lane, at: int) -> None:
        task = seal(TaskName.MARK, str(uuid4()), LANE_QUEUES[lane], [lane, at], {}, shown_args=repr((str(lane), at)))
        with border():
            self._put_in(keys=[LANE_QUEUES[lane], keys.MARKS_PUT, keys.MARKS_OUT], args=[lane, at, task])
