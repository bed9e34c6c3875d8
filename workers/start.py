"""What a worker does once before it forks its children and takes its first task."""

import sys
from typing import Any

from celery.signals import worker_init

from smsgate.errors import SettingsError
from smsgate.queues import LANE_QUEUES, Queue
from workers import parts, sending, ways  # noqa: F401 - loaded before the fork, once for all children


@worker_init.connect
def prepare_to_send(sender: Any = None, **_signal: Any) -> None:
    """Load the provider's SDK where messages will be sent: in the parent, once, for all children.

    A worker with a gap in its settings stops here; taking tasks that it cannot send would bury them.
    """
    queues = sender.app.amqp.queues.consume_from.keys()
    try:
        if queues & set(LANE_QUEUES.values()):
            parts.deliver()
        if queues & {*LANE_QUEUES.values(), Queue.QUESTIONS}:
            for way in ways.ways().network.ways.values():
                way.channel.prepare()
    except SettingsError as error:
        sys.exit(str(error))
