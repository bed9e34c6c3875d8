"""What is seen of a channel's doing: the counts that weights are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smsgate.routing.declared import Declared
from smsgate.routing.traffic import Kind

# Seconds of the sliding windows that an observation counts over: how calls ended, and what became of what was sent.
CALLS_WINDOW: Final = 10
RECEIPTS_WINDOW: Final = 30
# Seconds after which a receipt should be here; what was sent later is not counted yet. Most take 2 to 10 s.
RECEIPT_DUE: Final = 30


class HealthRule(Declared):
    """Whether weights follow what is seen of channels, and whether receipts that stay away count.

    Accounts that call nobody back are better off without `receipts`.
    """

    enabled: bool = True
    receipts: bool = True


@dataclass(frozen=True, slots=True)
class Observation:
    """A kind's sliding windows as they are now; times in ms.

    `ok` and `failed` are calls of the last `CALLS_WINDOW` seconds; only faults of the provider are failures, for what a
    message or its number is refused is nobody's illness. `due` are messages that were sent more than `RECEIPT_DUE`
    seconds ago, and no more than `RECEIPTS_WINDOW` before that; `received` and `delivered` are how many of those have a
    receipt, and one that says delivered. `receipt_delay_p50` is from sending to receipt.
    """

    ok: int = 0
    failed: int = 0
    latency_p50: float | None = None
    latency_p95: float | None = None
    due: int = 0
    received: int = 0
    delivered: int = 0
    receipt_delay_p50: float | None = None


Observations = Mapping[Kind, Observation]
