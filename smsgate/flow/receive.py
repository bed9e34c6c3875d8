"""Apply what a provider pushed: receipts to their records, replies to the stream of replies."""

from dataclasses import dataclass
from typing import assert_never

import structlog
from structlog.contextvars import bound_contextvars

from smsgate.channels.aliyun.receipts import UnusablePush, parse_replies, parse_reports
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.conclude import conclude
from smsgate.ledger.pushes import Push, Pushes, PushKind
from smsgate.ledger.records import Records
from smsgate.receipt import Receipt

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Receive:
    """Apply pushes. Each may come twice, late, out of order, or for messages that are not ours."""

    records: Records
    pushes: Pushes
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
                self._apply(push)
            except UnusablePush as error:
                log.error("push_unusable", kind=push.kind, reason=str(error))  # noqa: TRY400 - the body is personal data
                self.pushes.set_aside(push.id)
            else:
                self.pushes.done(push.id)

    def _apply(self, push: Push) -> None:
        match push.kind:
            case PushKind.SMS_REPORT:
                reports = parse_reports(push.body.encode())
                for receipt in reports.entries:
                    self._settle(receipt)
                for reason in reports.unusable:
                    log.warning("receipt_unusable", reason=reason)
            case PushKind.SMS_UP:
                replies = parse_replies(push.body.encode())
                self.pushes.keep(replies.entries)
                for reason in replies.unusable:
                    log.warning("reply_unusable", reason=reason)
            case _:
                assert_never(push.kind)

    def _settle(self, receipt: Receipt) -> None:
        record = self.records.read(receipt.message_id)
        # By `national`: the provider drops the country code, and some numbers are valid in two countries without it.
        if record is None or record.message is None or record.message.to.national != receipt.phone.national:
            log.warning("receipt_of_no_message", message_id=receipt.message_id)
            return
        conclude(self.records, record, receipt, at=self.now())
