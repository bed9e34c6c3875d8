"""Apply what a provider pushed: receipts to their records, replies to the stream of replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never

import structlog
from structlog.contextvars import bound_contextvars

from smsgate.channels.aliyun.receipts import parse_replies, parse_reports
from smsgate.channels.pushed import Parsed, UnusablePush
from smsgate.channels.tencent import receipts as tencent
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.conclude import Told, conclude_all
from smsgate.flow.receive_named import is_meant, receipts_of
from smsgate.flow.watch import Watch
from smsgate.ledger.groups import Groups
from smsgate.ledger.pushes import Push, Pushes, PushKind
from smsgate.ledger.records import Record, Records
from smsgate.receipt import Receipt, Reply
from smsgate.routing.carriers import carrier_of
from smsgate.routing.traffic import Traffic

log = structlog.get_logger()

T = TypeVar("T")

# How often a push is put off, for a minute or two each time, in which a report speaks of no message that is known yet.
PATIENCE: Final = 5


@dataclass(frozen=True, slots=True)
class Receive:
    """Apply pushes. Each may come twice, late, out of order, or for messages that are not ours."""

    records: Records
    groups: Groups
    pushes: Pushes
    watch: Watch
    now: Clock = system_clock

    def __call__(self, push_id: str) -> None:
        """Apply one stored push, then forget it; one that is none is kept for a look, and not tried again.

        Raises:
            StoreUnavailable: Redis went away; the push stays and the task must come again.
        """
        push = self.pushes.read(push_id)
        if push is None:
            return
        with bound_contextvars(push_id=push_id):
            try:
                is_done = self._apply(push)
            except UnusablePush as error:
                log.error("push_unusable", kind=push.kind, reason=str(error))  # noqa: TRY400 - the body is personal data
                self.pushes.set_aside(push.id)
            else:
                if is_done:
                    self.pushes.done(push.id)

    def _apply(self, push: Push) -> bool:
        """Apply a push; False where it is to come again."""
        match push.kind:
            case PushKind.SMS_REPORT:
                self._settle(_usable(parse_reports(push.body.encode())))
            case PushKind.TENCENT_REPORT:
                return self._settle_named(push, _usable(tencent.parse_reports(push.body.encode())))
            case PushKind.SMS_UP:
                self._keep(parse_replies(push.body.encode()))
            case PushKind.TENCENT_UP:
                self._keep(tencent.parse_replies(push.body.encode()))
            case _:
                assert_never(push.kind)
        return True

    def _keep(self, replies: Parsed[Reply]) -> None:
        self.pushes.keep(replies.entries)
        for reason in replies.unusable:
            log.warning("reply_unusable", reason=reason)

    def _settle_named(self, push: Push, reports: Sequence[tencent.Report]) -> bool:
        """Settle what is reported by the provider's ids; False while some of them may become known yet.

        What was settled is settled again then, which changes nothing.
        """
        found = receipts_of(reports, self.records, self.pushes.provider_ids)
        self._conclude([one for one in found if one is not None])
        missing = [report for report, one in zip(reports, found, strict=True) if one is None]
        if missing and self.pushes.put_off(push.id) <= PATIENCE:
            log.info("receipts_put_off", reports=len(missing))
            return False
        for report in missing:
            log.warning("receipt_of_no_message", provider_id=report.provider_id)
        return True

    def _settle(self, receipts: Sequence[Receipt]) -> None:
        told = []
        for receipt, record in zip(receipts, self._records_of(receipts), strict=True):
            if record is None:
                log.warning("receipt_of_no_message", message_id=receipt.message_id)
            else:
                told.append((record, receipt))
        self._conclude(told)

    def _conclude(self, told: Sequence[Told]) -> None:
        """Write receipts down, and count those that were news for the health of their channels."""
        at = self.now()
        for record, receipt in conclude_all(self.records, told, at=at):
            if record.channel and record.message and record.attempted_at:
                kind = Traffic.of(record.lane, carrier_of(record.message.to))
                self.watch.receipt(record.channel, kind, record.attempted_at[-1], at, delivered=receipt.delivered)

    def _records_of(self, receipts: Sequence[Receipt]) -> list[Record | None]:
        """Find the message of each receipt: under its own id, or in the chunk in which it was sent."""
        known = self.records.read_those_readable(list({receipt.message_id for receipt in receipts}))
        found = [_if_meant(known.get(receipt.message_id), receipt) for receipt in receipts]
        others = [receipt for receipt, record in zip(receipts, found, strict=True) if record is None]
        in_chunks = iter(self._in_chunks(others) if others else ())
        return [record or next(in_chunks) for record in found]

    def _in_chunks(self, receipts: Sequence[Receipt]) -> list[Record | None]:
        ids = self.groups.messages_of([(receipt.message_id, receipt.phone.national) for receipt in receipts])
        known = self.records.read_those_readable([one for one in ids if one is not None])
        records = [known.get(one) if one is not None else None for one in ids]
        return [_if_meant(record, receipt) for record, receipt in zip(records, receipts, strict=True)]


def _if_meant(record: Record | None, receipt: Receipt) -> Record | None:
    """Give the record that a receipt may speak of."""
    return record if is_meant(record, receipt.phone) else None


def _usable(parsed: Parsed[T]) -> Sequence[T]:
    """Give the reports that can be used, and tell of the others."""
    for reason in parsed.unusable:
        log.warning("receipt_unusable", reason=reason)
    return parsed.entries
