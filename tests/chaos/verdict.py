"""What was promised, held against what the provider has seen. Pure: it is handed everything it judges."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

# The names are those of the HTTP interface, written out: a verdict from outside shares no table with what it judges.
_FINAL: Final = frozenset({"delivered", "undelivered", "failed", "rejected", "expired", "cancelled", "dead"})
_NEVER_SENT: Final = frozenset({"failed", "rejected", "expired", "cancelled", "dead"})
_AT_PROVIDER: Final = frozenset({"sent", "delivered", "undelivered"})

Promise = Literal["twice", "lost", "false", "unaccepted", "doubt", "unfinished"]
Report = Mapping[str, Any]
Sms = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offence:
    """A broken promise: which, of whose message, and everything known about it."""

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counts of one scenario, and each offence."""

    wanted: int
    accepted: int
    states: Counter[str]
    once_uncertain: int
    extra: int  # SMS beyond the first of each message
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
    offences = [*_unaccepted(seen), *_repeated(seen), *_broken(seen)]
    if no_doubt:
        why = "passed through `uncertain`, and nothing happened that should make anybody doubt"
        offences += [Offence("doubt", one, why, seen.reports.get(one)) for one in doubted]
    return Verdict(
        wanted=len(seen.wanted),
        accepted=len(seen.accepted),
        states=Counter(_state(seen.reports.get(one)) for one in seen.accepted.values()),
        once_uncertain=len(doubted),
        extra=sum(max(0, len(sms) - 1) for sms in seen.received.values()),
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
        names = {message_id, *_chunks(report)}
        own = [sms for sms in seen.received.get(number, ()) if sms["out_id"] in names]
        broken = _fault_of(_state(report), has_it=bool(own))
        if broken:
            yield Offence(broken[0], message_id, broken[1], report)


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
