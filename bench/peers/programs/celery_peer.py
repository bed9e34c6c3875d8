"""The Celery task that people write: `celery -A celery_peer worker --concurrency 8`; the defaults, and acks_late."""

from collections.abc import Iterable

import sms
from celery import Celery

app = Celery("peer", broker=sms.REDIS)
app.conf.update(task_ignore_result=True, task_acks_late=True)
if sms.PATIENCE:
    # An hour by default.
    app.conf.broker_transport_options = {"visibility_timeout": sms.PATIENCE}


@app.task
def send(number: int) -> None:
    """Send one code."""
    sms.send(number)


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one after the other."""
    for number in numbers:
        send.delay(number)
