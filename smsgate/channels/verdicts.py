"""What follows for a message from all that a provider lists under its names."""

from collections.abc import Sequence

from smsgate.receipt import Receipt
from smsgate.trace import Known, Trace, Unknown


def trace_of(verdicts: Sequence[Receipt | None]) -> Trace:
    """Weigh the entries with our OutId; there are several where the message was submitted more than once.

    A delivery goes before all: the phone has the message, whatever became of its copies. Then one that waits, since it
    may yet arrive. Only when every copy has failed has the message failed, when the last of them did.
    """
    if not verdicts:
        return Unknown()
    receipts = [receipt for receipt in verdicts if receipt is not None]
    delivered = [receipt for receipt in receipts if receipt.delivered]
    if not delivered and len(receipts) < len(verdicts):
        return Known(None)
    return Known(max(delivered or receipts, key=lambda receipt: receipt.reported_at or 0))
