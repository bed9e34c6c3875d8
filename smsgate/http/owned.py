"""Which messages are a client's to see?"""

import re
from http import HTTPStatus
from typing import Final

from smsgate.http.problems import Problem
from smsgate.ledger.records import Record, Records
from smsgate.message import MESSAGE_ID, MessageId

_ID: Final = re.compile(MESSAGE_ID)


def owned(records: Records, message_id: str, client: str) -> Record:
    """Find a message that this client may see: its own, or one that no HTTP client owns (`.delay()`, the CLI).

    Raises:
        Problem: There is none (404).
    """
    record = records.read(MessageId(message_id)) if _ID.fullmatch(message_id) else None
    if record is None or record.client not in ("", client):
        detail = "id: there is no such message; it was never accepted, or it ended longer ago than messages are kept."
        raise Problem(HTTPStatus.NOT_FOUND, "unknown-message", detail)
    return record
