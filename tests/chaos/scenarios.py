"""What is done to the gateway: one entry a scenario, composed of disturbers."""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.disturbers import (
    BadDay,
    Disturber,
    JumpClock,
    KillRedis,
    KillWeb,
    KillWorkers,
    Outage,
    RestartWorkers,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name to call it by, a sentence for the reader, and who disturbs."""

    name: str
    about: str
    disturbers: tuple[Disturber, ...] = field(default=())
    appendfsync: str = "everysec"
    jumps: bool = False  # workers and beat live by a clock that jumps
    no_doubt: bool = False  # no message may even pass through `uncertain`
    pace: float = 1.0  # the share of the rate that its workers can keep up with
    drive: float | None = None  # seconds over which the messages are spread, where the rate must not decide


def _calls(kind: str, probability: float, **more: Any) -> dict[str, Any]:
    """Strike what sends, one message or a hundred; not the question what became of it."""
    return {"kind": kind, "probability": probability, **more}


def _timeouts(each: float) -> tuple[dict[str, Any], ...]:
    """No answer within the read timeout; half of these messages went out all the same."""
    return tuple(_calls("hang", each, seconds=4, accepted=accepted) for accepted in (True, False))


_ERRORS: Final = (
    _calls("unavailable", 0.04, status=503),
    _calls("unavailable", 0.03, status=500, code="InternalError", accepted=True),
    _calls("html", 0.03, status=502),
)
_RECEIPTS: Final = (
    {"kind": "receipt_lost", "probability": 0.2},
    {"kind": "receipt_doubled", "probability": 0.3},
    {"kind": "receipt_shuffled", "seconds": 3},
)

# As slow as a provider on the internet is, so that workers are in the middle of a call when they are killed.
_SLOW: Final = {"kind": "latency", "distribution": {"shape": "lognormal", "median_ms": 80, "sigma": 0.5}}

CALM: Final = Scenario("calm", "Nothing is disturbed: the yardstick for the rest.", no_doubt=True)
ALL_AT_ONCE: Final = Scenario(
    "all-at-once",
    "Everything above, each more rarely, on one and the same gateway.",
    (
        KillWorkers(every=4.0),
        RestartWorkers(every=8.0),
        KillRedis(every=12.0),
        KillWeb(every=8.0),
        JumpClock(every=6.0),
        BadDay((_SLOW, *_timeouts(0.02), *(dict(error, probability=0.02) for error in _ERRORS), *_RECEIPTS)),
        Outage(seconds=4.0, kinds=("refuse", "outage"), after=10.0),
    ),
    jumps=True,
)
# For `make test`: the same, over in seconds. Kills come early, because an attempt that dies in its call is not touched
# before its lease is over; the clock jumps less far, because what is told to wait while it is ahead waits longer by
# as much when it is right again.
ALL_AT_ONCE_SHORT: Final = Scenario(
    "all-at-once-short",
    "The same within a minute, for `make test`.",
    (
        KillWorkers(every=1.0, times=4),
        RestartWorkers(every=3.0, patience=6.0),
        KillRedis(every=4.0),
        KillWeb(every=3.0),
        JumpClock(every=2.0, by=10),
        BadDay((*_timeouts(0.01), *(dict(error, probability=0.01) for error in _ERRORS), *_RECEIPTS)),
        Outage(seconds=1.0, kinds=("refuse", "outage"), after=2.0),
    ),
    jumps=True,
    drive=10.0,
)

SCENARIOS: Final = (
    CALM,
    Scenario(
        "workers-killed",
        "SIGKILL of a random worker every second, or of a child of the one that has a pool; restarted at once.",
        (KillWorkers(every=1.0), BadDay((_SLOW,))),
    ),
    Scenario(
        "workers-restarted",
        "SIGTERM of one worker after the other, as a deployment does; not one message becomes uncertain by it.",
        (RestartWorkers(every=1.0), BadDay((_SLOW,))),
        no_doubt=True,
    ),
    Scenario(
        "redis-killed-everysec",
        "SIGKILL and restart of Redis every few seconds, appendfsync everysec.",
        (KillRedis(every=5.0), BadDay((_SLOW,))),
    ),
    Scenario(
        "redis-killed-always",
        "SIGKILL and restart of Redis every few seconds, appendfsync always.",
        (KillRedis(every=5.0), BadDay((_SLOW,))),
        appendfsync="always",
    ),
    Scenario(
        "web-killed",
        "SIGKILL of the web process every few seconds, with requests in hand that the clients repeat.",
        (KillWeb(every=3.0),),
    ),
    Scenario(
        "outage",
        "The provider is gone for 30 s: 15 s of refused connections, 15 s of 503 for everything.",
        (Outage(seconds=15.0, kinds=("refuse", "outage")),),
    ),
    Scenario(
        "timeouts",
        "20 % of the calls get no answer in time; half of these messages went out all the same.",
        (BadDay(_timeouts(0.1)),),
        # Each takes a process 1.5 s. Faster, most messages would wait in the queue until the faults are over.
        pace=0.4,
    ),
    Scenario(
        "server-errors",
        "10 % of the calls get a 5xx, JSON or a load balancer's page; some of these messages went out.",
        (BadDay(_ERRORS),),
    ),
    Scenario(
        "receipts",
        "20 % of the receipts are lost (a query knows them), 30 % come twice, all of them out of order.",
        (BadDay(_RECEIPTS),),
    ),
    Scenario(
        "clock-jumps",
        "The wall clock of workers and beat jumps by +90 s and by -90 s, and back, every 5 s.",
        (JumpClock(every=5.0), BadDay((_SLOW,))),
        jumps=True,
    ),
    ALL_AT_ONCE,
)
