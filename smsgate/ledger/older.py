"""Records as version 0.1.0's first builds wrote them: long texts whole, events as JSON."""

import json
from collections.abc import Mapping
from typing import Final

from smsgate.ledger import pieces

# A record of that time has this field, and no later one has it.
MARK: Final = "message"


def renewed(known: Mapping[str, str], *, rest: str, timeline: str) -> Mapping[str, str]:
    """Lay out a record as it is laid out today; `rest` and `timeline` name the fields of its two texts."""
    if MARK not in known:
        return known
    message = json.loads(known[MARK]) if known[MARK] else {}
    own = {name: str(message.pop(name)) for name in ("to", "template") if name in message}
    message.pop("lane", None)
    events = "".join(map(_renewed, known["timeline"].splitlines())) + pieces.joined(known, timeline)
    return {
        **{name: value for name, value in known.items() if name not in (MARK, "timeline")},
        **own,
        **pieces.fields(rest, json.dumps(message)),
        **pieces.fields(timeline, events),
    }


def _renewed(line: str) -> str:
    event = json.loads(line)
    state, at = event.pop("state"), event.pop("at")
    return f"{state} {at} {json.dumps(event)}\n"
