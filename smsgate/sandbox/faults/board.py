"""The faults that are on, and what they do to a call or a receipt."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final, assert_never

from smsgate.sandbox.faults.magic import MAGIC
from smsgate.sandbox.faults.match import SENDS
from smsgate.sandbox.faults.specs import (
    CallFault,
    Fault,
    Latency,
    ReceiptDelayed,
    ReceiptDoubled,
    ReceiptFault,
    ReceiptLost,
    ReceiptShuffled,
    Throttle,
    Undeliverable,
)
from smsgate.sandbox.inbox import Service

DELIVERED: Final = "DELIVERED"

# Magic numbers leave nothing to chance.
_NO_CHANCE: Final = Random(0)  # noqa: S311 - chance for tests, not for secrets


@dataclass(slots=True)
class Posted:
    """A fault that is on, with what is left of it."""

    id: str
    fault: Fault
    rng: Random
    until: float | None
    struck: int = 0
    second: int = 0  # the present one, and the calls in it
    calls: int = 0

    def over(self, now: float) -> bool:
        spent = self.fault.count is not None and self.struck >= self.fault.count
        return spent or (self.until is not None and now >= self.until)

    def strikes(self, now: float) -> bool:
        """Draw whether it happens this time, and count it where it does."""
        if (
            isinstance(self.fault, Throttle)
            and self.fault.above is not None
            and not self._is_above(self.fault.above, now)
        ):
            return False
        if self.fault.probability < 1 and self.rng.random() >= self.fault.probability:
            return False
        self.struck += 1
        return True

    def _is_above(self, most: int, now: float) -> bool:
        """Count a call, and say whether its second has had more than `most`."""
        if int(now) != self.second:
            self.second, self.calls = int(now), 0
        self.calls += 1
        return self.calls > most

    def shown(self, now: float) -> dict[str, object]:
        return {
            "id": self.id,
            **self.fault.model_dump(mode="json", exclude_none=True, exclude={"match"}),
            "match": self.fault.match.model_dump(exclude_none=True),
            "phone_receives": self.fault.phone_receives,
            "struck": self.struck,
            "left_seconds": None if self.until is None else round(max(0.0, self.until - now), 3),
        }


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What happens to one call: a delay of its answer, and at most one fault in place of it."""

    delay_ms: float = 0.0
    fault: CallFault | None = None


@dataclass(frozen=True, slots=True)
class ReceiptPlan:
    """What becomes of one message after it was accepted."""

    err_code: str = DELIVERED
    settles: bool = True
    copies: int = 1
    delay: float = 0.0

    @property
    def reaches_phone(self) -> bool:
        return self.err_code == DELIVERED


PLAIN: Final = ReceiptPlan()


class FaultBoard:
    """Keep the faults in the order in which they were posted; the first that strikes a call wins."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._posted: list[Posted] = []
        self._number = 0

    def post(self, fault: Fault) -> Posted:
        self._number += 1
        until = None if fault.duration_seconds is None else self._clock() + fault.duration_seconds
        rng = Random(fault.seed)  # noqa: S311 - chance for tests, not for secrets
        posted = Posted(f"fault-{self._number}", fault, rng, until)
        self._posted.append(posted)
        return posted

    def listed(self) -> list[Posted]:
        now = self._clock()
        self._posted = [posted for posted in self._posted if not posted.over(now)]
        return list(self._posted)

    def remove(self, fault_id: str) -> bool:
        """Take one fault down; say whether it was there."""
        before = len(self._posted)
        self._posted = [posted for posted in self._posted if posted.id != fault_id]
        return len(self._posted) < before

    def clear(self) -> None:
        self._posted.clear()

    def on_call(
        self, action: str, phones: list[str], template: str, service: Service = Service.ALIYUN
    ) -> Disturbance | None:
        """Draw what happens to a call; numbers are given in their kept form."""
        delay, broken, now = 0.0, None, self._clock()
        for posted in self.listed() if self._posted else ():
            fault = posted.fault
            if not fault.match.concerns(action, phones, template, service):
                continue
            if isinstance(fault, Latency) and posted.strikes(now):
                delay += fault.draw_ms(posted.rng)
            elif broken is None and isinstance(fault, CallFault) and posted.strikes(now):
                broken = fault
        for fault in _magic(phones) if action in SENDS else ():
            if isinstance(fault, Latency):
                delay += fault.draw_ms(_NO_CHANCE)
            elif broken is None and isinstance(fault, CallFault):
                broken = fault
        return Disturbance(delay, broken) if delay or broken else None

    def on_receipt(self, phone: str, template: str, service: Service = Service.ALIYUN) -> ReceiptPlan:
        """Draw what becomes of an accepted message; several faults add up."""
        plan = PLAIN
        for posted in self.listed() if self._posted else ():
            fault = posted.fault
            concerned = isinstance(fault, ReceiptFault) and fault.match.concerns_message([phone], template, service)
            if isinstance(fault, ReceiptFault) and concerned and posted.strikes(self._clock()):
                plan = _planned(plan, fault, posted.rng)
        magic = MAGIC.get(phone)
        return _planned(plan, magic, _NO_CHANCE) if isinstance(magic, ReceiptFault) else plan


def _magic(phones: list[str]) -> list[Fault]:
    return [MAGIC[phone] for phone in phones if phone in MAGIC]


def _planned(plan: ReceiptPlan, fault: ReceiptFault, rng: Random) -> ReceiptPlan:
    match fault:
        case Undeliverable():
            return replace(plan, err_code=fault.err_code)
        case ReceiptLost():
            return replace(plan, copies=0, settles=plan.settles and fault.queryable)
        case ReceiptDoubled():
            return replace(plan, copies=fault.copies if plan.copies else 0)
        case ReceiptDelayed():
            return replace(plan, delay=plan.delay + fault.seconds)
        case ReceiptShuffled():
            return replace(plan, delay=plan.delay + rng.uniform(0.0, fault.seconds))
        case _:
            assert_never(fault)
