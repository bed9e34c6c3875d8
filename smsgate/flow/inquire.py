"""Have the provider asked about the messages of which nothing was heard."""

from dataclasses import dataclass
from typing import Final

from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger import keys
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
# Most while there are questions about receipts that are merely late: what is uncertain waits behind no more than these.
MOST_REMINDERS: Final = 100


@dataclass(frozen=True, slots=True)
class Inquire:
    """Queue the questions that are due."""

    schedule: Schedule
    now: Clock = system_clock

    def __call__(self, limit: int = 500) -> int:
        """Queue up to `limit` questions of each kind, the uncertain first; returns the most that found room of one.

        Raises:
            StoreUnavailable: What was not queued is due still.
        """
        uncertain = self._hand(keys.UNCERTAIN, limit, MOST_QUESTIONS)
        return max(uncertain, self._hand(keys.SILENT, limit, MOST_REMINDERS))

    def _hand(self, index: str, limit: int, most: int) -> int:
        handed = 0
        for entry in self.schedule.questions(index, self.now(), limit):
            again, task = self.now() + QUESTION_LEASE, question(entry.id)
            if self.schedule.hand_question(index, entry, again=again, task=task, most=most) is Handed.FULL:
                break
            handed += 1
        return handed


def question(message_id: MessageId) -> str:
    """Write the Celery message that has a provider asked about a message."""
    return seal(TaskName.ASK, f"ask-{message_id}", Queue.QUESTIONS, [message_id], {}, shown_args=repr((message_id,)))
