"""What tests of channels' breakers share: a watch over a real Redis, and processes that hammer one."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any, Final

import redis
from structlog.testing import capture_logs

from smsgate.flow.standing import Blocked, Go
from smsgate.flow.watch import Watch
from smsgate.ledger.channel_health import ChannelHealth
from smsgate.ledger.channel_states import ChannelStates
from smsgate.ledger.connection import connect_briefly
from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.routing.breaker import BreakerRule
from smsgate.routing.carriers import Carrier
from smsgate.routing.traffic import Traffic, TrafficClass

CHANNEL: Final = "main"
CODES: Final = Traffic(TrafficClass.OTP, Carrier.MOBILE)
SENT: Final = Sent("900001")
DOWN: Final = Unsent("ConnectTimeout", Fault.PROVIDER)
RESET: Final = Uncertain("ConnectionReset")
NO_MONEY: Final = Refused("isv.AMOUNT_NOT_ENOUGH", Fault.ACCOUNT)
BAD_NUMBER: Final = Refused("isv.MOBILE_NUMBER_ILLEGAL", Fault.MESSAGE)
THROTTLED: Final = Unsent("Throttling", Fault.THROTTLED)
# What takes minutes in production takes moments here.
QUICK: Final = BreakerRule(sleep=0.4, account_sleep=0.4, slow_call_seconds=0.2, probe_lease=2.0)


def watch_over(client: redis.Redis, rule: BreakerRule = QUICK, channels: tuple[str, ...] = ()) -> Watch:
    return Watch(ChannelStates(client, rule), ChannelHealth(client, rule), rule, channels=channels)


def make(watch: Watch, outcome: Outcome, times: int = 1, operation: str = "send") -> None:
    for _ in range(times):
        assert watch.call(CHANNEL, CODES, lambda: outcome, operation) is outcome


def until(holds: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for something that is to happen soon; a machine may be busy with others."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def hammer(url: str, rule: BreakerRule, seconds: float, outcome: Outcome) -> None:
    """Be one of many workers: ask for the channel all the time, and note in Redis how many call it at once."""
    client = connect_briefly(url)
    watch = watch_over(client, rule)
    watch.peek(CHANNEL)
    client.incr("ready")
    until(lambda: client.exists("begin"))

    def call() -> Outcome:
        client.zadd("at_once", {str(client.incr("inside")): 0})
        time.sleep(0.03)
        client.decr("inside")
        client.incr("calls")
        return outcome

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        match watch.admit(CHANNEL):
            case Go(is_probe=True):
                watch.call(CHANNEL, CODES, call)
            case Go():
                client.incr("through")
                break
            case Blocked():
                time.sleep(0.002)
    watch.close()


def die_as_probe(url: str, rule: BreakerRule) -> None:
    """Take the lease of a probe and be killed within its call."""
    watch = watch_over(connect_briefly(url), rule)
    assert watch.admit(CHANNEL) == Go(is_probe=True)

    def call() -> Outcome:
        os.kill(os.getpid(), signal.SIGKILL)
        return SENT

    watch.call(CHANNEL, CODES, call)


def fail(url: str, rule: BreakerRule, times: int) -> None:
    """Be one of many workers whose calls fail, and count the events that this process was told of."""
    client = connect_briefly(url)
    watch = watch_over(client, rule)
    watch.peek(CHANNEL)
    client.incr("ready")
    until(lambda: client.exists("begin"))
    with capture_logs() as logs:
        make(watch, DOWN, times)
        until(lambda: watch.peek(CHANNEL).reason)
        watch.close()
    client.incr("told", sum(one["event"] == "breaker_opened" for one in logs))


def handed_in(client: redis.Redis, calls: int) -> None:
    """Wait until a pulse has brought so many calls to Redis."""

    def counted() -> int:
        return sum(int(count) for key in client.scan_iter("sms:calls:[0-9]*") for count in client.hvals(key))

    until(lambda: counted() >= calls)
