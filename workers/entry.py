"""What comes out of a queue, read as a Celery message, or told apart from one."""

from types import UnionType
from typing import Any, Final

from kombu.transport.virtual import Message
from kombu.utils.json import loads

from smsgate.ledger.strays import StrayReason
from smsgate.masking import mask_text

_LONGEST_TAG: Final = 255
# What Celery takes each of a task's headers for where there is one. With another it ends, or holds the task for ever.
_HEADERS: Final[dict[str, type | UnionType]] = {
    "id": str,
    "task": str,
    "root_id": str | None,
    "parent_id": str | None,
    "group": str | None,
    "shadow": str | None,
    "origin": str | None,
    "eta": str | None,
    "expires": str | None,
    "retries": int | None,
    "argsrepr": str | None,
    "kwargsrepr": str | None,
    "stamped_headers": list | None,
    "stamps": dict | None,
}


class NoMessage(Exception):
    """An entry is no Celery message; `reason` says why, and nothing of what it holds."""

    def __init__(self, reason: StrayReason) -> None:
        self.reason = reason
        super().__init__(str(reason))


class Entry(dict[str, Any]):
    """A Celery message as its queue held it, with the very text and the queue it came from."""

    text: str
    queue: str

    @property
    def tag(self) -> str:
        """Name it as it is noted; whoever publishes gives each message one of its own."""
        tag: str = self["properties"]["delivery_tag"]
        return tag

    @classmethod
    def read(cls, text: str, queue: str) -> "Entry":
        """Read an entry of a queue.

        Raises:
            NoMessage: Celery could make no message of it.
        """
        entry = cls(_object(text))
        entry.text, entry.queue = text, queue
        if not _is_complete(entry):
            raise NoMessage(StrayReason.NO_CELERY_MESSAGE)
        return entry

    def message(self, channel: Any) -> Message:
        """Make Celery's message of it.

        Raises:
            NoMessage: Its body is in an encoding that does not exist, or is not in the one that it names.
        """
        try:
            return Message(self, channel=channel)
        except Exception as error:
            raise NoMessage(StrayReason.NO_CELERY_MESSAGE) from error


def task_id(headers: Any) -> str | None:
    """Name the task that an entry's headers speak of, if they name any; an id that is a phone number is masked."""
    found = headers.get("id") if isinstance(headers, dict) else None
    named = isinstance(found, str) and found.isascii() and 0 < len(found) <= _LONGEST_TAG
    return mask_text(str(found)) if named else None


def are_a_tasks(headers: dict[str, Any]) -> bool:
    """Say whether each header is of its kind."""
    match headers.get("timelimit"):
        case None | [int() | float() | None, int() | float() | None]:
            return all(isinstance(headers[name], kind) for name, kind in _HEADERS.items() if name in headers)
        case _:
            return False


def _object(text: str) -> dict[str, Any]:
    try:
        known = loads(text)
    except (ValueError, TypeError, AttributeError, RecursionError, ArithmeticError) as error:
        raise NoMessage(StrayReason.NOT_JSON) from error
    if not isinstance(known, dict):
        raise NoMessage(StrayReason.NO_CELERY_MESSAGE)
    return known


def _is_complete(known: dict[str, Any]) -> bool:
    """Say whether everything is there that Celery takes for granted, and is what it takes it for."""
    match known:
        case {
            "body": str(body),
            "headers": dict(),
            "properties": {"delivery_tag": str(tag), "delivery_info": {"exchange": str(), "routing_key": str()}},
        }:
            # The tag becomes a name in Redis.
            return bool(body) and 0 < len(tag) <= _LONGEST_TAG and tag.isascii() and tag.isprintable()
        case _:
            return False
