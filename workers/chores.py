"""What beat asks for at its times."""

from typing import Final

from smsgate.queues import TaskName
from workers import parts
from workers.app import app

# Seconds. A push is applied within a second or two; one that has waited this long has lost its task.
OVERDUE: Final = 60.0


@app.task(name=TaskName.REQUEUE_PUSHES, shared=False)
def requeue_pushes() -> None:
    """Queue again the pushes whose task was lost."""
    parts.pushes().requeue(older_than=OVERDUE)
