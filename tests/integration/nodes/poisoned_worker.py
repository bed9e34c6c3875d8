"""What makes each pool process of a worker that includes it die of a task whose id begins with `poison`.

It dies before the task's own code runs, as of a body that exhausts the memory: nothing of ours has been called yet.
"""

import os
import signal
from typing import Any

from celery.signals import task_prerun


@task_prerun.connect
def die(task_id: str = "", **_signal: Any) -> None:
    if task_id.startswith("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
