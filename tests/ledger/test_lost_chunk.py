"""A chunk that was lost with its worker: one of its messages may have killed it, and the others do not pay for that."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import pytest
import redis

from smsgate.channels.channel import Submission
from smsgate.flow.ask import Ask
from smsgate.flow.brake import Brake
from smsgate.flow.carry import Carry
from smsgate.flow.deliver_chunk import DeliverChunk
from smsgate.flow.patience import ATTEMPTS
from smsgate.flow.submit import Submit
from smsgate.flow.wake import Wake
from smsgate.flow.watch import Watch
from smsgate.ledger.groups import Groups
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, MessageId
from smsgate.outcome import Outcome
from smsgate.states import State
from smsgate.trace import Unknown
from tests.ledger.conftest import Clock
from tests.ledger.gathered import gathered, gathering, read
from tests.ledger.providers import Provider, only

KILLER = MessageId("m7")


class Killed(BaseException):
    """The process ends here."""


class Deadly(Provider):
    """A provider whose SDK dies of one message."""

    def send(self, submission: Submission) -> Outcome:
        return self._survived([submission], super().send(submission))

    def send_chunk(self, chunk_id: str, submissions: Sequence[Submission]) -> Outcome:
        return self._survived(submissions, super().send_chunk(chunk_id, submissions))

    def _survived(self, submissions: Sequence[Submission], outcome: Outcome) -> Outcome:
        if KILLER in [submission.id for submission in submissions]:
            raise Killed
        return outcome


def test_the_messages_of_a_chunk_that_was_lost_with_its_worker_go_one_by_one(
    watch: Watch, store: redis.Redis, records: Records, schedule: Schedule, brake: Brake, carry: Carry, clock: Clock
) -> None:
    groups, provider = Groups(store), Deadly()
    deliver = DeliverChunk(records, groups, brake, only(provider, watch), carry, now=clock)
    ids = gathered(Submit(records, gathering(groups), now=clock), 100)
    with pytest.raises(Killed):
        deliver(Lane.BULK)

    for _ in range(ATTEMPTS):
        clock.advance(60)
        Wake(records, schedule, now=clock)()
        provider.knows = [Unknown()] * 100
        for one in ids:
            Ask(records, schedule, only(provider, watch), watch, now=clock)(one)
        for _ in ids:
            with suppress(Killed):
                deliver(Lane.BULK)

    assert Counter(read(records, one).state for one in ids) == {State.SENT: 99, State.DEAD: 1}
    assert {read(records, one).attempts for one in ids if one != KILLER} == {2}
