"""What makes a worker that includes it die, with its whole group, when the last attempt of a message has been noted.

That is the moment before Celery's failure handler runs: its log line is the last thing that is heard of the attempt.
"""

import logging
import os
import signal


class Killer(logging.Handler):
    """A handler that is the end of whoever logs the fifth attempt."""

    def emit(self, record: logging.LogRecord) -> None:
        match record.msg:
            case {"event": "attempt_ended", "attempt": 5, "state": "queued"}:
                os.killpg(0, signal.SIGKILL)
            case _:
                pass


logging.getLogger("smsgate.flow.settle").addHandler(Killer())
