"""A task that kills every process that takes it must not come again for ever."""

from typing import Any, Final

import structlog

from smsgate.errors import StoreUnavailable
from smsgate.flow.bury import bury
from smsgate.flow.patience import MOST_REDELIVERIES
from smsgate.ledger.strays import StrayReason
from smsgate.message import MessageId
from smsgate.queues import TaskName
from workers import parts
from workers.aside import set_aside

log = structlog.get_logger()

REASON: Final = "poison"


def is_poison(task_id: str) -> bool:
    """Count a process that died with a task; says whether it has killed enough. While Redis is away nobody counts."""
    try:
        return parts.strays().count_death(task_id) > MOST_REDELIVERIES
    except StoreUnavailable:
        return False


def keep(request: Any) -> bool:
    """Make a dead letter of a poisonous message, or a stray of any other task; False when it could not be kept.

    A message that was killed in the middle of its attempt may have been sent: it is uncertain, as ever.
    """
    try:
        if request.name == TaskName.SEND and parts.records().read(MessageId(request.id)):
            bury(parts.records(), MessageId(request.id), REASON)
        else:
            set_aside(request.message, StrayReason.POISON)
    except StoreUnavailable as error:
        log.warning("poison_not_kept", task_id=request.id, error=str(error))
        return False
    log.error("poison", task_id=request.id, task=request.name)
    return True
