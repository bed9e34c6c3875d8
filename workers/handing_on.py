"""With a broker of its own: what a task has queued in Redis goes there as soon as the task has ended."""

from typing import Any, Final

from celery.signals import task_postrun

from smsgate.queues import TaskName
from workers import apart

# Tasks that queue nothing themselves; the chores, of which there are few, do.
_BARREN: Final = frozenset({TaskName.SEND, TaskName.NOTIFY, TaskName.MARK, TaskName.HAND_ON, TaskName.CENSUS})


@task_postrun.connect
def hand_on(sender: Any = None, **_signal: Any) -> None:
    """Hand on what there is, unless the task was one that queues nothing."""
    if getattr(sender, "name", None) not in _BARREN:
        apart.hand_on_at_once()
