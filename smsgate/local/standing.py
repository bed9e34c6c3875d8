"""What `smsgate doctor` finds out about messages that stand still: paused lanes, dead letters, what is overdue."""

import time
from collections.abc import Iterator
from typing import Final

import redis

from smsgate.channels.aliyun.finding import Finding
from smsgate.flow.report import moment
from smsgate.ledger.dead_letters import DeadLetters
from smsgate.ledger.lanes import By, Lanes
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane

# Milliseconds by which a message may be overdue: beat asks every second.
LATE: Final = 60_000
_DAY: Final = 24 * 3600 * 1000


def standing(client: redis.Redis, records: Records) -> Iterator[Finding]:
    """Look at what does not move.

    Raises:
        StoreUnavailable: Redis went away.
    """
    now = time.time_ns() // 1_000_000
    yield from _lanes(Lanes(client))
    yield _letters(DeadLetters(client, records), now)
    yield _codes(records)
    yield _schedule(Schedule(client), now)


def _lanes(lanes: Lanes) -> Iterator[Finding]:
    pauses = lanes.pauses()
    if not pauses:
        yield Finding("lanes", ok=True, detail="none is paused")
    for lane, pause in pauses.items():
        mend = (
            "see `smsgate dead list` and mend the cause; a probe then releases it, or " if pause.by is By.BRAKE else ""
        )
        detail = f"{lane} is paused by {pause.by} since {moment(pause.at)}: {pause.reason or 'no reason given'}"
        yield Finding("lanes", ok=True, detail=detail, fix=f"{mend}`smsgate lanes resume {lane}` lets it go on")


def _letters(letters: DeadLetters, now: int) -> Finding:
    count = letters.died_since(now - _DAY)
    fix = "`smsgate dead list --since 1d` tells why; mend it, then `smsgate dead replay`" if count else ""
    return Finding("dead letters", ok=True, detail=f"{count:,} in the last day", fix=fix)


def _codes(records: Records) -> Finding:
    known = records.unknown_codes()
    told = ", ".join(f"{code} {count:,}" for code, count in sorted(known.items(), key=lambda one: -one[1])[:10])
    fix = "the messages ended as failed; a newer version may know these codes, or tell its maintainers" if known else ""
    return Finding("codes", ok=True, detail=told or "no unknown code of the provider's", fix=fix)


def _schedule(schedule: Schedule, now: int) -> Finding:
    late = max((now - entry.score for lane in Lane for entry in schedule.due(lane, now, 1)), default=0)
    if late <= LATE:
        return Finding("schedule", ok=True, detail="nothing is overdue")
    fix = "start beat (exactly one) and a worker for sms.chores: the lines `beat` and `receipts` of the Procfile"
    return Finding("schedule", ok=True, detail=f"messages are overdue by up to {late // 1000:,} s", fix=fix)
