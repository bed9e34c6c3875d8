import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest
import redis

from smsgate.errors import StoreUnavailable
from smsgate.flow.submit import Submit, draft
from smsgate.ledger import keys
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.connection import ANSWER_TIMEOUT, CONNECT_TIMEOUT, connect_briefly, connect_patiently
from smsgate.ledger.groups import Groups
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.pacing import Booking, Pacer
from smsgate.ledger.pushes import Push, Pushes, PushKind
from smsgate.ledger.record import Claim
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.ledger.schedule import Entry, Schedule
from smsgate.message import Lane, Message, MessageId
from smsgate.states import State

RECORD = draft(Message.check({"to": "13800138000", "template": "T"}), MessageId("m1"), client="", at=0)
PASSWORD = "hunter2hunter2"
MESSAGE = Message.check({"to": "13800138000", "template": "T", "params": {"code": "987654"}})
# What a caller who waits may have to wait: two tries of each, and room for this machine.
LONGEST = 2 * (CONNECT_TIMEOUT + ANSWER_TIMEOUT) + 1

StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]
CALLS: dict[str, Callable[[redis.Redis], object]] = {
    "submit": lambda store: Submit(Records(store, retention=Retention(60)))(MESSAGE),
    "read": lambda store: Records(store, retention=Retention(60)).read(MessageId("m1")),
    "move": lambda store: Records(store, retention=Retention(60)).move(MessageId("m1"), State.SENDING, at=0),
    "forget": lambda store: Records(store, retention=Retention(60)).forget(RECORD),
    "begin": lambda store: Records(store, retention=Retention(60)).begin(
        MessageId("m1"), Lane.OTP, redelivered=True, claim=None
    ),
    "take a chunk": lambda store: Groups(store).take(Lane.BULK, "c", Claim(0, 0, 0, ("provider",), 5, 5), most=1),
    "fill": lambda store: Groups(store).fill(Lane.BULK, 0),
    "offer": lambda store: Groups(store).offer(Lane.BULK),
    "messages of": lambda store: Groups(store).messages_of([("c", "1")]),
    "due": lambda store: Schedule(store).due(Lane.OTP, 0, 1),
    "worked off": lambda store: Schedule(store).worked_off(Lane.OTP, 0),
    "place": lambda store: Schedule(store).park(RECORD, now=0),
    "questions": lambda store: Schedule(store).questions(keys.SILENT, 0, 1),
    "hand": lambda store: Schedule(store).hand_question(keys.SILENT, Entry(RECORD.id, 0), again=1, task="task", most=1),
    "again": lambda store: Schedule(store).ask_again(RECORD, 1, asks=1),
    "restore": lambda store: Schedule(store).restore([RECORD.id], 0),
    "round": lambda store: Schedule(store).next_of_round(10),
    "resume": lambda store: Lanes(store).resume(Lane.OTP),
    "pauses": lambda store: Lanes(store).pause_of(Lane.OTP),
    "pause": lambda store: Lanes(store).pause(Lane.OTP, Pause(By.HAND, "", 0)),
    "tally": lambda store: Lanes(store).tally(Lane.OTP, 0, 60_000),
    "ping": lambda store: Records(store, retention=Retention(60)).ping(),
    "store a push": lambda store: Pushes(store).store(Push("p1", PushKind.SMS_REPORT, "13800138000")),
    "read a push": lambda store: Pushes(store).read("p1"),
    "push done": lambda store: Pushes(store).done("p1"),
    "requeue pushes": lambda store: Pushes(store).requeue(older_than=0),
    "book": lambda store: Pacer(store).book("main", 1.0),
    "give back": lambda store: Pacer(store).give_back("main", Booking(at=1), [[("a", ((1.0, 1),))]]),
    "throttled": lambda store: Pacer(store).throttled("main", 1.0),
    "rates": lambda store: Pacer(store).rates(["main"]),
    "create a key": lambda store: ApiKeys(store).create("shop"),
    "list keys": lambda store: ApiKeys(store).list(),
    "revoke a key": lambda store: ApiKeys(store).revoke("id"),
    "check a key": lambda store: ApiKeys(store).client_of("smsgate_abcd1234_secret"),
}


def _with_password(url: str) -> str:
    return url.replace("redis://", f"redis://:{PASSWORD}@")


def _assert_silent_on_secrets(error: StoreUnavailable) -> None:
    for secret in (PASSWORD, "13800138000", "987654"):
        assert secret not in str(error)
        assert secret not in repr(error.__cause__)


@pytest.fixture
def nobody() -> str:
    """The address of a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{probe.getsockname()[1]}/0"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def swallowed() -> Iterator[str]:
    """A server whose queue of connections is full: the packets that open one are swallowed."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = opened.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_redis_that_is_away_is_our_own_error_at_once(call: Callable[[redis.Redis], object], nobody: str) -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as error:
        call(connect_briefly(_with_password(nobody)))
    assert time.monotonic() - began < 1
    assert "SMSGATE_REDIS_URL" in str(error.value)
    _assert_silent_on_secrets(error.value)


@pytest.mark.parametrize("silent", ["black_hole", "swallowed"])
def test_a_redis_that_says_nothing_is_given_up_in_time(silent: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(silent)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as error:
        CALLS["submit"](connect_briefly(_with_password(url)))
    assert time.monotonic() - began < LONGEST
    _assert_silent_on_secrets(error.value)


def test_a_worker_waits_for_a_redis_no_longer_than_it_is_given_to_end(
    nobody: str, black_hole: str, swallowed: str
) -> None:
    def seconds(url: str) -> float:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            Records(connect_patiently(url), retention=Retention(60)).ping()
        return time.monotonic() - began

    with ThreadPoolExecutor(3) as workers:
        took = list(workers.map(seconds, [nobody, black_hole, swallowed]))

    assert max(took) < 17
    assert min(took) > 10


def test_a_wrong_password_is_our_own_error_and_not_shown(start_redis: StartRedis) -> None:
    with start_redis("--requirepass", "another") as (url, _), pytest.raises(StoreUnavailable) as error:
        CALLS["submit"](connect_briefly(_with_password(url)))
    _assert_silent_on_secrets(error.value)


def test_a_redis_that_only_reads_is_our_own_error(start_redis: StartRedis) -> None:
    with start_redis("--replicaof", "127.0.0.1", "1") as (url, _), pytest.raises(StoreUnavailable):
        CALLS["submit"](connect_briefly(url))


def test_a_worker_outlasts_a_restart_of_redis(start_redis: StartRedis) -> None:
    """The answer of a provider must be written down: a worker waits for a Redis that is being restarted."""
    with ThreadPoolExecutor(1) as worker, start_redis() as (url, server):
        records = Records(connect_patiently(url), retention=Retention(60))
        records.ping()
        server.kill()
        server.wait()
        asked = worker.submit(records.ping)
        time.sleep(0.5)
        assert not asked.done()
        with start_redis(port=int(url.rpartition(":")[2].partition("/")[0])):
            asked.result(timeout=10)


def test_a_producer_finds_a_redis_that_closed_its_connection(start_redis: StartRedis) -> None:
    with start_redis() as (url, _):
        records = Records(connect_briefly(url), retention=Retention(60))
        records.ping()
        redis.Redis.from_url(url).client_kill_filter(_type="normal", skipme=True)
        records.ping()
