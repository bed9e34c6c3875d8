"""The Tencent Cloud channel."""

from collections.abc import Sequence
from typing import Final

from smsgate.channels.channel import Inquiry, Submission
from smsgate.channels.tencent.config import TencentConfig
from smsgate.outcome import Outcome
from smsgate.trace import Trace


class TencentChannel:
    """Send through a Tencent Cloud account, and ask it; safe to share between threads, and to build before a fork.

    `params` go out by their order, for the provider numbers the variables of a template and does not name them.
    """

    # SendSms takes 200 numbers, but one set of variables and one SessionContext for all of them.
    most_together: Final = 1
    # A report names the message by the provider's id alone, unless the provider has opened `ext` for the account.
    reports_by_provider_id: Final = True

    def __init__(self, config: TencentConfig, name: str = "tencent") -> None:
        self.name: Final = name
        self._config = config

    def prepare(self) -> None:
        """Import the SDK (0.1 s of CPU and 20 MiB); in a parent process once, for all of its children."""
        from smsgate.channels.tencent import send_sms, send_status  # noqa: F401, PLC0415 - what is asked for

    def send(self, submission: Submission) -> Outcome:
        """Try once to send; whatever the SDK raises ends as an outcome, Celery's soft time limit included."""
        # Only a process that sends should pay for the import of the SDK.
        from smsgate.channels.tencent import send_sms  # noqa: PLC0415 - see above

        return send_sms.send(self._config, submission)

    def send_chunk(self, chunk_id: str, submissions: Sequence[Submission]) -> Outcome:  # noqa: ARG002 - the message's own id serves
        """Send a chunk of one message, as `send` does.

        Raises:
            ValueError: There are more than `most_together`.
        """
        if len(submissions) != self.most_together:
            raise ValueError(f"a chunk for {self.name} has one message, not {len(submissions)}")
        return self.send(submissions[0])

    def find(self, inquiry: Inquiry) -> Trace:
        """Look for our id among the statuses that carriers have given for the number; one call.

        Never `Unknown`: a message that the provider has accepted is not listed before its carrier has spoken, and
        with our id only where the provider has opened that for the account.
        """
        from smsgate.channels.tencent import send_status  # noqa: PLC0415 - as in `send`

        return send_status.find(self._config, inquiry)
