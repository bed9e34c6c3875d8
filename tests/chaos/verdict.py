"""What was promised, held against what the provider has seen. Pure: it is handed everything it judges."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from tests.chaos.tally import BatchSeen, faults_of

# The names are those of the HTTP interface, written out: a verdict from outside shares no table with what it judges.
_FINAL: Final = frozenset({"delivered", "undelivered", "failed", "rejected", "expired", "cancelled", "dead"})
_NEVER_SENT: Final = frozenset({"failed", "rejected", "expired", "cancelled", "dead"})
_AT_PROVIDER: Final = frozenset({"sent", "delivered", "undelivered"})

Promise = Literal["twice", "lost", "false", "miscounted", "unaccepted", "doubt", "unfinished"]
Report = Mapping[str, Any]
Sms = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offence:
    """A broken promise: which, of whose message or batch, and everything known about it."""

    promise: Promise
    message_id: str
    why: str
    report: Report | None


@dataclass(frozen=True, slots=True)
class Seen:
    """The facts: ids by number as accepted, what was asked for, records by id, SMS by number at the provider."""

    wanted: Sequence[str]
    accepted: Mapping[str, str]
    reports: Mapping[str, Report | None]
    received: Mapping[str, Sequence[Sms]]
    batches: Sequence[BatchSeen] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a message took from being accepted to being at the provider."""

    seconds: float
    report: Report | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counts of one scenario, and each offence."""

    wanted: int
    accepted: int
    states: Counter[str]
    once_uncertain: int
    extra: int  # SMS beyond the first of each message
    longest: Wait
    batches: int
    rows: int  # messages that came in batches
    offences: tuple[Offence, ...]

    def count(self, promise: str) -> int:
        return sum(offence.promise == promise for offence in self.offences)

    @property
    def kept(self) -> bool:
        """Whether every promise was kept, and there was something to keep it about."""
        return not self.offences and self.accepted > 0


def is_final(report: Report | None) -> bool:
    return report is not None and report["state"] in _FINAL


def judge(seen: Seen, *, no_doubt: bool = False) -> Verdict:
    """Find every offence; with `no_doubt` a message that was ever uncertain is one."""
    doubted = [one for one in seen.accepted.values() if _was_uncertain(seen.reports.get(one))]
    offences = [*_unaccepted(seen), *_repeated(seen), *_broken(seen), *_miscounted(seen)]
    if no_doubt:
        why = "passed through `uncertain`, and nothing happened that should make anybody doubt"
        offences += [Offence("doubt", one, why, seen.reports.get(one)) for one in doubted]
    return Verdict(
        wanted=len(seen.wanted),
        accepted=len(seen.accepted),
        states=Counter(_state(seen.reports.get(one)) for one in seen.accepted.values()),
        once_uncertain=len(doubted),
        extra=sum(max(0, len(sms) - 1) for sms in seen.received.values()),
        longest=max(_waits(seen), key=lambda wait: wait.seconds, default=Wait(0.0, None)),
        batches=len(seen.batches),
        rows=sum(batch.rows.total() for batch in seen.batches),
        offences=tuple(offences),
    )


def _unaccepted(seen: Seen) -> Iterator[Offence]:
    for number in seen.wanted:
        if number not in seen.accepted:
            yield Offence("unaccepted", "-", "its client repeated the request in vain until the end", None)


def _repeated(seen: Seen) -> Iterator[Offence]:
    """Count by number: a second id for a repeated request would hide behind a count by OutId."""
    for number, sms in seen.received.items():
        if len(sms) > 1:
            message_id = seen.accepted.get(number, "-")
            told = ", ".join(f"{one['out_id']} at {one['accepted_at']}" for one in sms)
            yield Offence("twice", message_id, f"{len(sms)} SMS: {told}", seen.reports.get(message_id))


def _broken(seen: Seen) -> Iterator[Offence]:
    for number, message_id in seen.accepted.items():
        report = seen.reports.get(message_id)
        broken = _fault_of(_state(report), has_it=bool(_own(seen, number, message_id)))
        if broken:
            yield Offence(broken[0], message_id, broken[1], report)


def _miscounted(seen: Seen) -> Iterator[Offence]:
    for batch in seen.batches:
        for why in faults_of(batch, ended=batch.rows.keys() <= _FINAL):
            yield Offence("miscounted", batch.id, why, None)


def _own(seen: Seen, number: str, message_id: str) -> list[Sms]:
    """Find the SMS of a message: the provider knows it by its id, or by the call in which it went with others."""
    names = {message_id, *_chunks(seen.reports.get(message_id))}
    return [sms for sms in seen.received.get(number, ()) if sms["out_id"] in names]


def _waits(seen: Seen) -> Iterator[Wait]:
    """Measure how long messages took to the provider, which tells seconds; neither clock jumps."""
    for number, message_id in seen.accepted.items():
        report = seen.reports.get(message_id)
        if report is not None and (own := _own(seen, number, message_id)):
            arrived = min(datetime.fromisoformat(f"{sms['accepted_at']}+08:00") for sms in own)
            yield Wait((arrived - datetime.fromisoformat(report["accepted_at"])).total_seconds(), report)


def _fault_of(state: str, *, has_it: bool) -> tuple[Promise, str] | None:
    """Say which promise a message breaks that ended in `state`, and how; None for none."""
    if state == "missing":
        return "lost", f"there is no record of it; the provider {'has' if has_it else 'has not'} got it"
    if state in _AT_PROVIDER and not has_it:
        return "false", f"it is said to be {state}, and the provider never got it"
    if state in _NEVER_SENT and has_it:
        return "false", f"it is said to be {state}, and the provider has got it"
    if state in ("queued", "sending"):
        return "lost", f"it is still {state}; the provider {'has' if has_it else 'has not'} got it"
    if state not in _FINAL:
        return ("unfinished", f"it is still {state}") if has_it else ("lost", f"it is {state}, and never went out")
    return None


def _state(report: Report | None) -> str:
    return "missing" if report is None else str(report["state"])


def _chunks(report: Report | None) -> set[str]:
    """Name the calls in which it went with others: the provider knows it by those."""
    return {event["chunk"] for event in (report["timeline"] if report else ()) if "chunk" in event}


def _was_uncertain(report: Report | None) -> bool:
    return report is not None and any(event["state"] == "uncertain" for event in report["timeline"])
