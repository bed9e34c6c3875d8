"""Celery with celery-batches: `celery -A celery_batches_peer worker --concurrency 8`.

A hundred messages, or what has come in two seconds, wait in the memory of the worker and leave in one SendBatchSms.
"""

from collections.abc import Iterable, Sequence

import sms
from celery import Celery
from celery_batches import Batches, SimpleRequest

_TOGETHER = 100

app = Celery("peer", broker=sms.REDIS)
# Its documentation wants a multiplier of zero, or one that makes more than `flush_every` of it: with a hundred for each
# process every process can have a full batch in hand. Zero would take the whole queue into memory.
app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=_TOGETHER)
if sms.PATIENCE:
    # An hour by default.
    app.conf.broker_transport_options = {"visibility_timeout": sms.PATIENCE}


@app.task(base=Batches, flush_every=_TOGETHER, flush_interval=2)
def send(requests: Sequence[SimpleRequest]) -> None:
    """Send one code to each."""
    sms.send_together([request.args[0] for request in requests])


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one after the other."""
    for number in numbers:
        send.delay(number)
