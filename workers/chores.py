"""What beat asks for at its times."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from celery.exceptions import Reject

from smsgate.errors import BrokerUnavailable, StoreUnavailable
from smsgate.flow.dispatch import dispatch
from smsgate.queues import Queue, TaskName
from workers import apart, parts
from workers.app import GatewayTask, app

log = structlog.get_logger()

# Seconds. A push is applied within a second or two; one that has waited this long has lost its task.
OVERDUE: Final = 60.0
# Seconds that one run of a chore may take; what it has not come to is left to the next.
RUN: Final = 0.8
# Messages looked after in one go.
BATCH: Final = 200


# Chores that may wait. While no worker takes them Redis would keep each: three a second, for ever.
MOST_WAITING: Final = 10


class Chore(GatewayTask):
    """A task that is not queued while many wait: the next in turn does the same."""

    def apply_async(self, *args: Any, **options: Any) -> Any:
        if _waiting() >= MOST_WAITING:
            return None
        return super().apply_async(*args, **options)


def _waiting() -> int:
    way = apart.hand_on()
    if way is None:
        return parts.records().waiting_in(Queue.CHORES)
    try:
        # Asked itself: what Redis knows of it a chore has noted.
        return way.waiting_in(Queue.CHORES)
    except BrokerUnavailable as error:
        log.warning("chore_not_queued", error=str(error))
        return MOST_WAITING


@app.task(base=Chore, name=TaskName.HAND_ON, shared=False)
def hand_on() -> None:
    """Hand on what waits in the outbox to a broker of its own."""
    way = apart.hand_on()
    if way:
        try:
            way(RUN)
        except (BrokerUnavailable, StoreUnavailable) as error:
            log.warning("chore_refused", chore="HandOn", error=str(error))


@app.task(base=Chore, name=TaskName.REQUEUE_PUSHES, shared=False)
def requeue_pushes() -> None:
    """Queue again the pushes whose task was lost."""
    parts.pushes().requeue(older_than=OVERDUE)


@app.task(base=Chore, name=TaskName.WAKE, shared=False)
def wake() -> None:
    """Look after the messages whose time has come, those that are paused no more, and those nobody reports."""
    from workers import holding  # noqa: PLC0415 - beat does without

    for chore in (parts.wake(), parts.release(), holding.return_aside(), parts.inquire()):
        try:
            _work_off(chore)
        except StoreUnavailable as error:
            # A full Redis refuses one and takes the next; what is left is due still.
            log.warning("chore_refused", chore=type(chore).__name__, error=str(error))


@app.task(base=Chore, name=TaskName.SWEEP, shared=False)
def sweep() -> None:
    """Give a new task to messages whose own was lost."""
    _work_off(parts.sweep())


@app.task(base=Chore, name=TaskName.CENSUS, shared=False)
def census() -> None:
    """Put back what stands in no index."""
    parts.census()()


@app.task(name=TaskName.CANCEL_ROWS, shared=False)
def cancel_rows(batch_id: str, start: int) -> None:
    """Cancel rows of a batch that was called back."""
    try:
        parts.cancel_rows()(batch_id, start)
    except StoreUnavailable as error:
        raise Reject(str(error), requeue=True) from error


@app.task(base=Chore, name=TaskName.GATHER, shared=False)
def gather() -> None:
    """Have the messages taken that have waited for company for long enough."""
    try:
        parts.gather()()
    except StoreUnavailable as error:
        log.warning("chore_refused", chore="Gather", error=str(error))


@app.task(base=Chore, name=TaskName.DEGRADE, shared=False)
def degrade() -> None:
    """Measure the backlog and the channels, and step to the level of degradation that follows."""
    from workers import holding  # noqa: PLC0415 - beat does without

    try:
        holding.degrade()()
    except StoreUnavailable as error:
        log.warning("chore_refused", chore="Degrade", error=str(error))


@app.task(base=Chore, name=TaskName.WEIGH, shared=False)
def weigh() -> None:
    """Have the weights of channels follow their health."""
    try:
        parts.weigh()()
    except StoreUnavailable as error:
        log.warning("chore_refused", chore="Weigh", error=str(error))


def _work_off(chore: Callable[[int], int]) -> None:
    began = time.monotonic()
    while chore(BATCH) >= BATCH and time.monotonic() - began < RUN:
        pass


@app.task(base=Chore, name=TaskName.DISPATCH_WEBHOOKS, shared=False)
def dispatch_webhooks() -> None:
    """Queue the webhooks that are due."""
    dispatch(parts.webhooks())
