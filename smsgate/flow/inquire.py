"""Have the provider asked about the messages of which nothing was heard."""

from dataclasses import dataclass
from typing import Final

from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.envelope import seal
from smsgate.ledger.handing import Handed
from smsgate.ledger.schedule import Schedule
from smsgate.message import MessageId
from smsgate.queues import Queue, TaskName

# Milliseconds after which a question is put again if nothing came of its task.
QUESTION_LEASE: Final = 60_000
# Most questions that wait for a worker. With a provider that says nothing (13 s each) the last come long after their
# lease, and find that another task has asked meanwhile; with one that answers, all are put within seconds.
MOST_QUESTIONS: Final = 500


@dataclass(frozen=True, slots=True)
class Inquire:
    """Queue the questions that are due."""

    schedule: Schedule
    now: Clock = system_clock

    def __call__(self, limit: int = 500) -> int:
        """Queue up to `limit` questions; returns how many found room.

        Raises:
            StoreUnavailable: What was not queued is due still.
        """
        handed = 0
        for entry in self.schedule.questions(self.now(), limit):
            again, task = self.now() + QUESTION_LEASE, question(entry.id)
            if self.schedule.hand_question(entry, again=again, task=task, most=MOST_QUESTIONS) is Handed.FULL:
                break
            handed += 1
        return handed


def question(message_id: MessageId) -> str:
    """Write the Celery message that has a provider asked about a message."""
    return seal(TaskName.ASK, f"ask-{message_id}", Queue.QUESTIONS, [message_id], {}, shown_args=repr((message_id,)))
