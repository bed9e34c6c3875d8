"""What a broker that is not the Redis of the records needs, put together once per process."""

from functools import cache
from typing import TYPE_CHECKING

from smsgate.ledger.connection import connect_briefly, connect_patiently
from smsgate.parts import hand_on_in
from smsgate.settings import current

if TYPE_CHECKING:
    from smsgate.flow.hand_on import HandOn
    from smsgate.ledger.marks import Marks


@cache
def hand_on() -> "HandOn | None":
    """Build the way to that broker; None where there is none."""
    settings = current()
    return hand_on_in(connect_briefly(settings.redis_url), settings)


def hand_on_at_once() -> None:
    """Hand on what was just queued, where there is such a broker."""
    way = hand_on()
    if way:
        way.at_once()


@cache
def marks() -> "Marks":
    from smsgate.ledger.marks import Marks  # noqa: PLC0415 - producers do without

    return Marks(connect_patiently(current().redis_url))
