"""Every Redis key that smsgate owns, and how long each lives."""

import hashlib
from typing import Final

from smsgate.message import MessageId

API_KEYS: Final = "sms:keys"
REPLIES: Final = "sms:replies"
PUSHES_WAITING: Final = "sms:pushes"

DAY: Final = 24 * 3600
# A record that has not come to an end is kept far longer than any message can be valid (7 days) or its
# receipt can take (72 hours), yet not for ever.
OPEN_RECORD_TTL: Final = 45 * DAY
IDEMPOTENCY_TTL: Final = DAY
PUSH_TTL: Final = 3 * DAY
# Replies are kept by number, not by age: the oldest go first.
MOST_REPLIES: Final = 100_000


def record(message_id: MessageId) -> str:
    return f"sms:msg:{message_id}"


def idempotency(client: str, key: str) -> str:
    """Hash the caller's key: it may be long, and may hold what should not be read in a key listing."""
    return f"sms:idem:{client}:{hashlib.sha256(key.encode()).hexdigest()}"


def push(push_id: str) -> str:
    return f"sms:push:{push_id}"


def reply(line: str) -> str:
    """Name a reply by everything that it says: what is pushed again says the same."""
    return f"sms:reply:{hashlib.sha256(line.encode()).hexdigest()}"
