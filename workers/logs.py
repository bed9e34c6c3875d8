"""How our Celery processes log: JSON, numbers masked, and nothing of a message that could not be read.

As a class of our app and not through the `setup_logging` signal: the signal would take over the logs of every Celery
app in a program that imports ours.
"""

import logging
import re
from typing import Any, Final

from celery.app.log import Logging as CeleryLogging

from smsgate import telemetry
from smsgate.settings import current

# Celery writes the whole body of a task that it does not know, or cannot decode, into this log.
_TELLTALE: Final = "celery.worker.consumer.consumer"
# At DEBUG Celery writes each task with its body, number and code, into this one.
_ARGUMENTATIVE: Final = "celery.pool"
# At INFO Celery tells of each task that it came and that it went. Our own line tells how an attempt ended, and these
# two were a seventh of what a message costs its worker.
_TALKATIVE: Final = ("celery.worker.strategy", "celery.app.trace")
_TASK_ID: Final = re.compile(r"'id': '([A-Za-z0-9_-]{1,64})'")


class Discreet(logging.Filter):
    """Keep of such an entry what happened and to which task, and drop what the task said."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING and "body" in str(record.msg):
            text = record.getMessage()
            found = _TASK_ID.search(text)
            happened = text.partition("\n")[0].partition(" [type:")[0]
            record.msg = f"{happened} Task id: {found.group(1) if found else 'unknown'}"
            record.args, record.exc_info = (), None
        return True


class Logging(CeleryLogging):
    """Celery's logging with our format and our discretion."""

    def setup_logging_subsystem(self, loglevel: Any = None, *_format: Any, **_more: Any) -> bool:
        """Configure this process's logs; True tells Celery that it is done."""
        settings = current()
        telemetry.configure(loglevel or settings.log_level, form=settings.log_format)
        logging.getLogger(_ARGUMENTATIVE).setLevel(logging.INFO)
        if logging.getLogger().getEffectiveLevel() >= logging.INFO:
            for name in _TALKATIVE:
                logging.getLogger(name).setLevel(logging.WARNING)
        logger = logging.getLogger(_TELLTALE)
        if not any(isinstance(one, Discreet) for one in logger.filters):
            logger.addFilter(Discreet())
        return True
