"""Providers that do as they are told: a channel is where the gateway ends."""

from threading import Event as Signal

import pytest

from smsgate.channels.channel import Inquiry, Submission
from smsgate.outcome import Outcome, Sent
from smsgate.trace import Trace


class Provider:
    """A provider that keeps what it gets and answers as it was told to, in turn; then it takes everything.

    Asked about a message, it answers with `knows`, in turn.
    """

    name = "provider"

    def __init__(self, *answers: Outcome | Exception) -> None:
        self.answers = list(answers)
        self.received: list[Submission] = []
        self.knows: list[Trace] = []
        self.asked: list[Inquiry] = []

    def prepare(self) -> None:
        """There is nothing to load."""

    def send(self, submission: Submission) -> Outcome:
        self.received.append(submission)
        answer = self.answers.pop(0) if self.answers else Sent(f"sms-{len(self.received)}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def find(self, inquiry: Inquiry) -> Trace:
        self.asked.append(inquiry)
        return self.knows.pop(0)


class SlowProvider(Provider):
    """A provider that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.called, self.let = Signal(), Signal()

    def send(self, submission: Submission) -> Outcome:
        self.called.set()
        assert self.let.wait(timeout=10)
        return super().send(submission)


class Nobody(Provider):
    """A provider that must not be called."""

    def send(self, submission: Submission) -> Outcome:
        pytest.fail(f"{submission.id} was sent")
