"""Providers that do as they are told: a channel is where the gateway ends."""

from collections.abc import Sequence
from threading import Event as Signal

import pytest

from smsgate.channels.channel import Channel, Inquiry, Submission
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Network, Way, Ways
from smsgate.message import MessageId
from smsgate.outcome import Fault, Outcome, Refused, Sent
from smsgate.phone import Phone
from smsgate.routing.profile import Profile
from smsgate.routing.table import Rule, Strategy
from smsgate.trace import Trace


def only(channel: Channel, watch: Watch, sign: str = "短信网关") -> Ways:
    """Let a channel be the only one."""
    return Ways(Network.of([Way(channel, _profile(channel, sign))]), watch)


def among(watch: Watch, *channels: Channel) -> Ways:
    """Let messages take the first of some channels, and the next where it does not send them."""
    ways = [Way(channel, _profile(channel, "短信网关")) for channel in channels]
    names = tuple(channel.name for channel in channels)
    return Ways(Network.of(ways, [Rule(channels=names, strategy=Strategy.PRIORITY)]), watch)


def _profile(channel: Channel, sign: str) -> Profile:
    return Profile(name=channel.name, provider="told", sign=sign)


class Provider:
    """A provider that keeps what it gets and answers as it was told to, in turn; then it takes everything.

    Asked about a message, it answers with `knows`, in turn.
    """

    most_together = 100
    reports_by_provider_id = False

    def __init__(self, *answers: Outcome | Exception, name: str = "provider") -> None:
        self.name = name
        self.answers = list(answers)
        self.received: list[Submission] = []
        self.knows: list[Trace] = []
        self.asked: list[Inquiry] = []
        self.chunks: list[tuple[str, list[MessageId]]] = []
        self.refused: dict[Phone, Outcome] = {}
        self.needed: frozenset[str] = frozenset()  # the variables of its templates

    def prepare(self) -> None:
        """There is nothing to load."""

    def send(self, submission: Submission) -> Outcome:
        self.received.append(submission)
        return self._refusal_of(submission) or self._answered(f"sms-{len(self.received)}")

    def _refusal_of(self, submission: Submission) -> Outcome | None:
        if not self.needed <= submission.params.keys():
            return Refused("isv.TEMPLATE_MISSING_PARAMETERS", Fault.VARIABLES)
        return self.refused.get(submission.phone)

    def _answered(self, provider_id: str) -> Outcome:
        answer = self.answers.pop(0) if self.answers else Sent(provider_id)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def send_chunk(self, chunk_id: str, submissions: Sequence[Submission]) -> Outcome:
        """Take all of a chunk or none: the first that it refuses is refused for all."""
        self.chunks.append((chunk_id, [submission.id for submission in submissions]))
        refusal = next((found for one in submissions if (found := self._refusal_of(one))), None)
        return refusal or self._answered(f"chunk-{len(self.chunks)}")

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
