"""`celery control revoke`: what Celery's own tool takes back is called back for good."""

from contextlib import suppress
from typing import Any

from celery.signals import task_revoked

from smsgate.errors import StoreUnavailable
from smsgate.flow.clock import system_clock
from smsgate.message import MessageId
from smsgate.queues import TaskName
from smsgate.states import State
from workers import parts


@task_revoked.connect
def call_back(sender: Any = None, request: Any = None, **_signal: Any) -> None:
    """Cancel a message whose task a worker has discarded: to the sweep it would be one whose task was lost.

    A worker remembers what is revoked until it ends, and no longer; a message that it has not met by then is not
    called back. `smsgate cancel` has no such gap.
    """
    if getattr(sender, "name", None) != TaskName.SEND or request is None:
        return
    facts = {"reason": "revoked"}
    with suppress(StoreUnavailable):
        parts.records().move(
            MessageId(str(request.id)),
            State.CANCELLED,
            at=system_clock(),
            fields=facts,
            detail=facts,
            only_from=State.QUEUED,
        )
