"""Tell a client by webhook what became of a message."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

import structlog
from structlog.contextvars import bound_contextvars

from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.report import moment, report
from smsgate.ledger.records import Record, Records
from smsgate.ledger.webhook_secrets import WebhookSecrets
from smsgate.ledger.webhooks import Due, Webhooks
from smsgate.states import RESTING
from smsgate.webhooks.breakers import PAUSE, endpoint
from smsgate.webhooks.outcome import Crowded, Delivered, Failed, Outcome, Rejected, Unasked
from smsgate.webhooks.post import Post
from smsgate.webhooks.signature import sign

log = structlog.get_logger()

# Milliseconds for which a task has a webhook to itself: longer than any task lasts (celeryconfig.py: 40 s).
HOLD: Final = 60_000
# Seconds after each attempt until the next; after the last, nobody is told.
BACKOFF: Final = (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
# Milliseconds, up to twice, until a webhook that found its endpoint busy comes again.
CROWDED: Final = 1_000
# A wait is longer than said by up to this part of it, so that what failed together does not come together.
JITTER: Final = 0.2
# Seconds. A webhook that waits for an endpoint to come back uses up no attempts, but is worth telling only so long.
LONGEST_LIFE: Final = 72 * 3600


@dataclass(frozen=True, slots=True)
class Notify:
    """Post the webhooks of messages at rest."""

    records: Records
    outbox: Webhooks
    secrets: WebhookSecrets
    post: Post
    now: Clock = system_clock
    chance: Callable[[], float] = random.random

    def __call__(self, leased: Due) -> None:
        """Post one leased webhook, once, and write down what came of it.

        Raises:
            StoreUnavailable: Redis went away; the webhook comes again when its lease is over.
        """
        with bound_contextvars(message_id=leased.id):
            held = self.outbox.hold(leased, self.now() + HOLD)
            if held is None:
                log.info("webhook_not_ours")
                return
            record = self.records.read(held.id)
            url = record.message.callback_url if record and record.message else None
            if record is None or url is None or record.state not in RESTING:
                self.outbox.done(held)
                return
            with bound_contextvars(endpoint=endpoint(url), webhook_id=webhook_id(record)):
                self._settle(held, record, self._post(url, record))

    def _post(self, url: str, record: Record) -> Outcome:
        body = payload(record)
        valid = self.secrets.valid(record.client)
        return self.post(url, body, sign(body, webhook_id=webhook_id(record), at=self.now() // 1000, valid=valid))

    def _settle(self, held: Due, record: Record, outcome: Outcome) -> None:
        match outcome:
            case Delivered(status):
                log.info("webhook_delivered", status=status)
                self.outbox.done(held)
            case Rejected(reason):
                log.error("webhook_rejected", reason=reason)
                self.outbox.done(held)
            case Failed(reason, retry_after):
                self._try_again(held, record, reason, retry_after or 0)
            case Unasked():
                self._wait(held, record)
            case Crowded():
                self.outbox.again(held, self.now() + int(CROWDED * (1 + self.chance())))
            case _:
                assert_never(outcome)

    def _try_again(self, held: Due, record: Record, reason: str, retry_after: float) -> None:
        event = len(record.timeline)
        attempt = self.outbox.attempts(held.id, event) + 1
        if attempt > len(BACKOFF) or self._age(record) > LONGEST_LIFE:
            self._give_up(held, reason, attempt)
            return
        wait = max(BACKOFF[attempt - 1] * (1 + JITTER * self.chance()), retry_after)
        log.warning("webhook_failed", reason=reason, attempt=attempt, wait=round(wait))
        self.outbox.again(held, self.now() + round(wait * 1000), event=event)

    def _wait(self, held: Due, record: Record) -> None:
        """Wait for the endpoint's breaker: the longer, the longer the webhook has waited, or thousands would circle."""
        age = self._age(record)
        if age > LONGEST_LIFE:
            self._give_up(held, "endpoint_down", self.outbox.attempts(held.id, len(record.timeline)))
            return
        wait = max(PAUSE, age / 10) * (1 + JITTER * self.chance())
        log.info("webhook_waits", reason="endpoint_down", wait=round(wait))
        self.outbox.again(held, self.now() + round(wait * 1000))

    def _give_up(self, held: Due, reason: str, attempts: int) -> None:
        log.error("webhook_given_up", reason=reason, attempts=attempts)
        self.outbox.done(held)

    def _age(self, record: Record) -> float:
        """Seconds since the message came to rest."""
        return (self.now() - record.timeline[-1].at) / 1000


def webhook_id(record: Record) -> str:
    """Name the webhook: the same over all its attempts, another when the message comes to rest once more."""
    return f"{record.id}-{len(record.timeline)}"


def payload(record: Record) -> bytes:
    """Write the body: what happened, when, and the report that `GET /v1/messages/ID` would give."""
    told = {
        "type": f"message.{record.state}",
        "timestamp": moment(record.timeline[-1].at),
        "data": report(record),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
