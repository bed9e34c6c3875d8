"""Tells the log what became of a breaker; where an operator has to act, as an alarm with what to do."""

from typing import Final

import structlog

from smsgate.routing.breaker import Event, Phase, Reason

log = structlog.get_logger()

_FIXES: Final[dict[Reason | None, str]] = {
    Reason.ACCOUNT: "put the account right at the provider (balance, quota, suspension); a probe finds out by itself",
    Reason.CREDENTIALS: "put key and permissions right; a probe finds out by itself",
}


def tell(event: Event) -> None:
    """Log one change of state."""
    facts = {
        "channel": event.channel,
        "operation": event.operation,
        "reason": event.reason,
        "detail": event.detail,
    }
    if event.is_alarm:
        log.critical("breaker_opened", fix=_FIXES[event.reason], **facts)
    elif event.after is Phase.HALF_OPEN:
        log.info("breaker_probed", **facts)
    else:
        log.warning("breaker_opened" if event.after is Phase.OPEN else "breaker_closed", **facts)
