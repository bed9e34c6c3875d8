"""The Aliyun channel."""

from collections.abc import Sequence
from typing import Final

from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.channel import MOST_IN_A_CHUNK, Inquiry, Submission
from smsgate.outcome import Outcome
from smsgate.trace import Trace


class AliyunChannel:
    """Send through an Alibaba Cloud account, and ask it; safe to share between threads, and to build before a fork."""

    most_together: Final = MOST_IN_A_CHUNK
    reports_by_provider_id: Final = False  # a report has our own id, or the chunk's, as its OutId

    def __init__(self, config: AliyunConfig | None = None, name: str = "aliyun") -> None:
        self.name: Final = name
        self._config = config or AliyunConfig()

    def prepare(self) -> None:
        """Import the SDK (0.8 s of CPU and 44 MiB); in a parent process once, for all of its children."""
        from smsgate.channels.aliyun import send_batch_sms, send_details, send_sms  # noqa: F401, PLC0415 - what is asked for

    def send(self, submission: Submission) -> Outcome:
        """Try once to send.

        Whatever the SDK raises ends as an outcome, Celery's soft time limit included when it strikes during the call
        (`Uncertain("time_limit")`): the SDK itself swallows it there. Only what is no `Exception` passes through, such
        as `SystemExit`; it carries no text of the SDK, and the message is then as uncertain as after a SIGKILL.
        """
        # Importing the SDK costs 0.8 s of CPU and 44 MiB, which only a process that sends should pay.
        from smsgate.channels.aliyun import send_sms  # noqa: PLC0415 - see above

        return send_sms.send(self._config, submission)

    def send_chunk(self, chunk_id: str, submissions: Sequence[Submission]) -> Outcome:
        """Try once to send messages of one template by SendBatchSms; as `send` otherwise."""
        from smsgate.channels.aliyun import send_batch_sms  # noqa: PLC0415 - as in `send`

        return send_batch_sms.send(self._config, chunk_id, submissions)

    def find(self, inquiry: Inquiry) -> Trace:
        """Ask for what the number was sent on the days of the attempts, and look for our OutId in it.

        One call for each day and each 50 messages to the number on it, so one or two as a rule. Each may take as long
        as one of `send`; the first that fails is the last.
        """
        from smsgate.channels.aliyun import send_details  # noqa: PLC0415 - as in `send`

        return send_details.find(self._config, inquiry)
