"""The Aliyun channel."""

from typing import Final

from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.channel import Submission
from smsgate.outcome import Outcome


class AliyunChannel:
    """Send through an Alibaba Cloud account; safe to share between threads, and to build before a fork."""

    name: Final = "aliyun"

    def __init__(self, config: AliyunConfig | None = None) -> None:
        self._config = config or AliyunConfig()

    def prepare(self) -> None:
        """Import the SDK (0.8 s of CPU and 44 MiB); in a parent process once, for all of its children."""
        from smsgate.channels.aliyun import send_sms  # noqa: F401, PLC0415 - the import is what is asked for

    def send(self, submission: Submission) -> Outcome:
        """Try once to send.

        Whatever the SDK raises ends as an outcome, Celery's soft time limit included when it strikes during the call
        (`Uncertain("time_limit")`): the SDK itself swallows it there. Only what is no `Exception` passes through, such
        as `SystemExit`; it carries no text of the SDK, and the message is then as uncertain as after a SIGKILL.
        """
        # Importing the SDK costs 0.8 s of CPU and 44 MiB, which only a process that sends should pay.
        from smsgate.channels.aliyun import send_sms  # noqa: PLC0415 - see above

        return send_sms.send(self._config, submission)
