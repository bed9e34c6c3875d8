"""Breakers of channels: what opens them, what does not, and how they close; over a real Redis."""

import threading
import time
from collections.abc import Iterator

import pytest
import redis
from structlog.testing import capture_logs

from smsgate.flow.standing import Blocked, Go
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.channel_states import ChannelStates
from smsgate.ledger.weights import Weights
from smsgate.outcome import Fault, Outcome
from smsgate.routing.breaker import ASK, Phase, Reason
from smsgate.routing.traffic import Kind
from smsgate.trace import NoAnswer
from tests.ledger.watches import (
    BAD_NUMBER,
    CHANNEL,
    CODES,
    DOWN,
    NO_MONEY,
    QUICK,
    RESET,
    SENT,
    THROTTLED,
    handed_in,
    make,
    until,
    watch_over,
)


@pytest.fixture
def watch(store: redis.Redis) -> Iterator[Watch]:
    watch = watch_over(store)
    yield watch
    watch.close()


def _open(watch: Watch, outcome: Outcome = DOWN) -> None:
    make(watch, outcome, 10)
    until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)


def _probe(watch: Watch, outcome: Outcome) -> None:
    until(lambda: watch.admit(CHANNEL) == Go(is_probe=True))
    make(watch, outcome)


@pytest.mark.parametrize("outcome", [DOWN, RESET])
def test_a_provider_that_fails_is_left_alone_for_a_while(watch: Watch, outcome: Outcome) -> None:
    assert watch.admit(CHANNEL) == Go()
    make(watch, SENT, 10)
    make(watch, outcome, 10)
    until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)
    blocked = watch.admit(CHANNEL)
    assert isinstance(blocked, Blocked)
    assert (blocked.reason, blocked.is_slow) == (Reason.FAILING, False)
    assert blocked.detail == "10 of 20 calls failed, 0 were slow"
    assert 0 < blocked.until_ms - time.time() * 1000 <= 400


@pytest.mark.parametrize("outcome", [BAD_NUMBER, THROTTLED, SENT])
def test_what_is_not_the_providers_fault_opens_nothing(watch: Watch, store: redis.Redis, outcome: Outcome) -> None:
    make(watch, outcome, 50)
    make(watch, DOWN, 9)
    handed_in(store, 59)
    assert watch.admit(CHANNEL) == Go()


def test_few_calls_open_nothing(watch: Watch, store: redis.Redis) -> None:
    make(watch, DOWN, 9)
    handed_in(store, 9)
    assert watch.admit(CHANNEL) == Go()


def test_ten_failures_in_a_row_open_it_whatever_went_well_before(watch: Watch, store: redis.Redis) -> None:
    make(watch, SENT, 300)
    handed_in(store, 300)
    make(watch, DOWN, 9)
    make(watch, SENT)
    handed_in(store, 310)
    make(watch, DOWN, 9)
    handed_in(store, 319)
    assert watch.peek(CHANNEL).phase is Phase.CLOSED
    make(watch, DOWN)
    until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)
    assert watch.peek(CHANNEL).detail == "10 of 10 calls failed, 0 were slow"


def test_the_window_rolls(store: redis.Redis) -> None:
    watch = watch_over(store, QUICK.model_copy(update={"window": 1}))
    make(watch, DOWN, 9)
    handed_in(store, 9)
    time.sleep(2)
    make(watch, DOWN, 9)
    handed_in(store, 18)
    assert watch.admit(CHANNEL) == Go()
    watch.close()


def test_calls_that_hang_open_it_before_they_end(watch: Watch) -> None:
    release = threading.Event()

    def hang() -> Outcome:
        release.wait(20)
        return SENT

    hanging = [threading.Thread(target=watch.call, args=(CHANNEL, CODES, hang)) for _ in range(10)]
    for one in hanging:
        one.start()
    until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)
    standing = watch.peek(CHANNEL)
    assert (standing.reason, standing.is_slow) == (Reason.SLOW_CALLS, True)
    assert watch.admit(CHANNEL).is_slow  # type: ignore[union-attr]
    release.set()
    for one in hanging:
        one.join()


def test_a_slow_probe_does_not_close_what_slow_calls_opened(watch: Watch, store: redis.Redis) -> None:
    def slow() -> Outcome:
        time.sleep(0.25)
        return SENT

    slowly = [threading.Thread(target=watch.call, args=(CHANNEL, CODES, slow)) for _ in range(10)]
    for one in slowly:
        one.start()
    until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)
    for one in slowly:
        one.join()
    until(lambda: watch.admit(CHANNEL) == Go(is_probe=True))
    watch.call(CHANNEL, CODES, slow)
    assert watch.peek(CHANNEL).phase is Phase.OPEN
    _probe(watch, SENT)
    _probe(watch, SENT)
    assert watch.peek(CHANNEL).phase is Phase.CLOSED


def test_an_account_without_money_opens_it_at_once_with_an_alarm(watch: Watch) -> None:
    with capture_logs() as logs:
        make(watch, NO_MONEY)
        assert watch.peek(CHANNEL).phase is Phase.OPEN
    (alarm,) = [one for one in logs if one["log_level"] == "critical"]
    assert (alarm["channel"], alarm["reason"], alarm["detail"]) == (CHANNEL, "account", "isv.AMOUNT_NOT_ENOUGH")
    assert "put the account right" in alarm["fix"]


def test_only_what_is_sent_proves_that_an_account_is_right_again(watch: Watch) -> None:
    make(watch, NO_MONEY)
    with capture_logs() as logs:
        _probe(watch, NO_MONEY)
        assert watch.peek(CHANNEL).phase is Phase.OPEN
        _probe(watch, BAD_NUMBER)
        assert watch.peek(CHANNEL).phase is Phase.HALF_OPEN
        _probe(watch, DOWN)
        assert watch.peek(CHANNEL).reason is Reason.ACCOUNT
        _probe(watch, SENT)
        _probe(watch, SENT)
    assert watch.peek(CHANNEL).phase is Phase.CLOSED
    assert [one for one in logs if one["log_level"] == "critical"] == [], "the operator has been told"


def test_two_good_probes_close_it_and_what_opened_it_is_forgotten(watch: Watch, store: redis.Redis) -> None:
    _open(watch)
    _probe(watch, SENT)
    assert watch.peek(CHANNEL).phase is Phase.HALF_OPEN
    _probe(watch, SENT)
    assert watch.peek(CHANNEL).phase is Phase.CLOSED
    make(watch, DOWN, 7)
    handed_in(store, 9)  # the two probes among them
    assert watch.admit(CHANNEL) == Go()


def test_a_failed_probe_opens_it_again(watch: Watch) -> None:
    _open(watch)
    _probe(watch, SENT)
    _probe(watch, RESET)
    standing = watch.peek(CHANNEL)
    assert (standing.phase, standing.reason, standing.detail) == (Phase.OPEN, Reason.FAILING, "ConnectionReset")


def test_a_probe_that_is_not_made_is_given_back(watch: Watch) -> None:
    _open(watch)
    until(lambda: watch.admit(CHANNEL) == Go(is_probe=True))
    assert isinstance(watch.admit(CHANNEL), Blocked)
    watch.give_back(CHANNEL)
    assert watch.admit(CHANNEL) == Go(is_probe=True)


def test_what_was_admitted_is_called_though_it_has_opened_since(watch: Watch) -> None:
    _open(watch)
    make(watch, SENT)
    assert watch.peek(CHANNEL).phase is Phase.OPEN, "that was no probe"


def test_every_call_is_made_once_while_its_breaker_opens_and_closes(watch: Watch) -> None:
    made: list[int] = []

    def caller(number: int) -> None:
        for one in range(400):
            outcome = SENT if one % 3 else DOWN
            assert watch.call(CHANNEL, CODES, lambda: made.append(number) or outcome) is outcome  # type: ignore[func-returns-value] # noqa: B023 - it is called at once

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    while any(one.is_alive() for one in threads):
        watch.open_by_hand(CHANNEL, "x")
        watch.close_by_hand(CHANNEL)
    assert [made.count(number) for number in range(6)] == [400] * 6


def test_asking_has_a_breaker_of_its_own(watch: Watch, store: redis.Redis) -> None:
    silent = NoAnswer("ReadTimeout", Fault.PROVIDER)
    for _ in range(10):
        assert watch.call(CHANNEL, CODES, lambda: silent, ASK) is silent
    until(lambda: watch.peek(CHANNEL, operation=ASK).phase is Phase.OPEN)
    assert isinstance(watch.admit(CHANNEL, ASK), Blocked)
    assert watch.admit(CHANNEL) == Go()
    assert list(store.scan_iter(f"{keys.HEALTH_IN}*")) == [], "questions tell nothing of how well it sends"


def test_what_a_call_raises_is_passed_on_and_counts_as_a_failure(watch: Watch) -> None:
    def broken() -> Outcome:
        raise ZeroDivisionError

    for _ in range(10):
        with pytest.raises(ZeroDivisionError):
            watch.call(CHANNEL, CODES, broken)
    until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)


def test_what_ends_a_process_says_nothing_of_the_provider(watch: Watch, store: redis.Redis) -> None:
    def ending() -> Outcome:
        raise SystemExit

    for _ in range(20):
        with pytest.raises(SystemExit):
            watch.call(CHANNEL, CODES, ending)
    make(watch, SENT)
    handed_in(store, 1)
    assert watch.admit(CHANNEL) == Go()


def test_an_operator_opens_and_closes_a_breaker_for_all(watch: Watch, store: redis.Redis) -> None:
    other = watch_over(store)
    assert other.admit(CHANNEL) == Go()
    watch.open_by_hand(CHANNEL, "maintenance")
    until(lambda: isinstance(other.admit(CHANNEL), Blocked))
    time.sleep(0.5)
    blocked = other.admit(CHANNEL)
    assert isinstance(blocked, Blocked), "nobody probes it"
    assert (blocked.reason, blocked.detail) == (Reason.BY_HAND, "maintenance")
    watch.close_by_hand(CHANNEL)
    until(lambda: other.admit(CHANNEL) == Go())
    other.close()


def test_a_paused_channel_is_asked_and_not_sent_through(watch: Watch) -> None:
    watch.pause(CHANNEL, "contract ends")
    until(lambda: watch.peek(CHANNEL).is_paused)
    blocked = watch.admit(CHANNEL)
    assert isinstance(blocked, Blocked)
    assert (blocked.reason, blocked.detail) == ("paused", "contract ends")
    assert watch.admit(CHANNEL, ASK) == Go()
    assert watch.resume(CHANNEL)
    assert not watch.resume(CHANNEL)
    until(lambda: watch.admit(CHANNEL) == Go())


def test_events_and_how_often_are_kept(watch: Watch, store: redis.Redis) -> None:
    _open(watch)
    _probe(watch, SENT)
    _probe(watch, SENT)
    states = ChannelStates(store, QUICK)
    assert [(one.before, one.after, one.reason) for one in reversed(states.events())] == [
        (Phase.CLOSED, Phase.OPEN, Reason.FAILING),
        (Phase.OPEN, Phase.HALF_OPEN, Reason.FAILING),
        (Phase.HALF_OPEN, Phase.CLOSED, Reason.FAILING),
    ]
    assert states.turns() == {(CHANNEL, "send", phase): 1 for phase in Phase}
    for _ in range(60):
        watch.open_by_hand(CHANNEL, "x")
        watch.close_by_hand(CHANNEL)
    assert store.llen(keys.BREAKER_EVENTS) == 100


def test_the_board_shows_all_that_an_operator_asks_for(store: redis.Redis) -> None:
    watch = watch_over(store, channels=(CHANNEL, "backup"))
    make(watch, SENT, 30)
    make(watch, THROTTLED, 3)
    now = int(time.time() * 1000)
    for delivered in (True, True, True, False):
        watch.receipt(CHANNEL, CODES, now - 40_000, now, delivered=delivered)
    assert Weights(store).replace("", "known", {Kind(CHANNEL, CODES): 0.5})
    make(watch, NO_MONEY)
    watch.close()
    board = watch.board()
    assert list(board) == ["backup", CHANNEL]
    main = board[CHANNEL]
    assert (main.state, main.reason, main.detail) == (Phase.OPEN, Reason.ACCOUNT, "isv.AMOUNT_NOT_ENOUGH")
    assert (main.success, main.throttled, main.receipts, main.weight) == (1.0, 3, 0.75, 0.5)
    assert main.p95 is not None and main.p95 < 0.1  # noqa: PT018 - one is about the other
    assert main.receipt_delay == pytest.approx(40, rel=0.7)
    assert main.calls_per_second == pytest.approx(34 / 60)
    assert main.last_error is not None and main.last_error[1] == "isv.AMOUNT_NOT_ENOUGH"  # noqa: PT018 - likewise
    assert main.since > now - 1000 and len(main.events) == 1  # noqa: PT018 - likewise
    assert (board["backup"].state, board["backup"].calls_per_second) == (Phase.CLOSED, 0.0)
