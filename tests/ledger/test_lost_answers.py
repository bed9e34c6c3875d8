"""What happens when Redis did as it was asked and its answer never came."""

import select
import socket
import threading
from collections.abc import Iterator

import pytest
import redis

from smsgate.flow.submit import Submit, draft
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.groups import Groups
from smsgate.ledger.outbox import Outbox
from smsgate.ledger.pacing import Pacer
from smsgate.ledger.pushes import Push, Pushes, PushKind
from smsgate.ledger.record import Beginning
from smsgate.ledger.records import Move, Records, Result
from smsgate.ledger.retention import Retention
from smsgate.ledger.turns import AT_ONCE
from smsgate.message import Lane, Message, MessageId
from smsgate.queues import Queue
from smsgate.states import State
from tests.ledger.gathered import claim, gathered, gathering

AT = 1_767_225_600_000
MESSAGE = Message.check({"to": "13800138000", "template": "T"})
CLAIM = claim(AT)


class Line:
    """A line to Redis that can lose an answer: it takes it from Redis and hangs up on the client."""

    def __init__(self, port: int) -> None:
        self._redis_port = port
        self._to_lose: int | None = None
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._server.getsockname()[1]}/0"
        self.lost = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def lose_next_answer(self) -> None:
        self.lose_an_answer_after(0)

    def lose_an_answer_after(self, answered: int) -> None:
        self._to_lose = answered

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        """Pass on what either says; a long request comes in parts, but its answer always before the next one."""
        request = b""
        with client, socket.create_connection(("127.0.0.1", self._redis_port)) as store:
            while True:
                for ready in select.select([client, store], [], [])[0]:
                    said = ready.recv(65536)
                    if not said:
                        return
                    if ready is client:
                        request += said
                        store.sendall(said)
                    elif b"EVALSHA" in request and self._to_lose == 0:
                        self._to_lose = None
                        self.lost += 1
                        return
                    else:
                        if b"EVALSHA" in request and self._to_lose is not None:
                            self._to_lose -= 1
                        request = b""
                        client.sendall(said)


@pytest.fixture
def line(redis_url: str, store: redis.Redis) -> Iterator[Line]:
    line = Line(int(redis_url.rpartition(":")[2].partition("/")[0]))
    yield line
    line.close()


@pytest.fixture
def distant(line: Line) -> Records:
    """The records at the other end of that line, with their scripts known to Redis."""
    records = Records(connect_briefly(line.url), retention=Retention(60))
    records.accept(draft(MESSAGE, MessageId("warm"), client="", at=AT), slot=None)
    records.move(MessageId("warm"), State.SENDING, at=AT)
    return records


def test_a_move_whose_answer_was_lost_is_made_and_counted_once(line: Line, distant: Records) -> None:
    distant.accept(draft(MESSAGE, MessageId("m1"), client="", at=AT), slot=None)
    line.lose_next_answer()
    assert distant.move(MessageId("m1"), State.SENDING, at=AT) == Move(Result.MOVED, State.QUEUED, 0)
    assert line.lost == 1
    known = distant.read(MessageId("m1"))
    assert known is not None
    assert (known.state, len(known.timeline)) == (State.SENDING, 2)


def test_a_claim_that_somebody_else_made_is_not_taken_for_our_own_lost_one(line: Line, distant: Records) -> None:
    distant.accept(draft(MESSAGE, MessageId("m1"), client="", at=AT), slot=None)
    distant.move(MessageId("m1"), State.SENDING, at=AT)
    line.lose_next_answer()
    assert distant.move(MessageId("m1"), State.SENDING, at=AT) == Move(Result.STAYED, State.SENDING, 0)


def test_an_attempt_whose_claim_was_not_answered_is_claimed_once_and_ours(line: Line, distant: Records) -> None:
    distant.accept(draft(MESSAGE, MessageId("m1"), client="", at=AT), slot=None)
    line.lose_next_answer()
    begun = distant.begin(MessageId("m1"), Lane.NOTICE, redelivered=False, claim=CLAIM)
    assert (line.lost, begun.beginning, begun.attempts) == (1, Beginning.CLAIMED, 1)
    again = distant.begin(MessageId("m1"), Lane.NOTICE, redelivered=False, claim=CLAIM)
    assert (again.beginning, again.attempts) == (Beginning.READ, 1)


@pytest.mark.parametrize(("answered", "size"), [(0, AT_ONCE), (1, 100), (3, 100)])
def test_a_slice_of_a_chunk_whose_answer_was_lost_is_taken_once_and_ours(
    line: Line, distant: Records, redis_url: str, answered: int, size: int
) -> None:
    """A chunk whose first answer is lost stays as small as that; what is left of its group waits for the next."""
    near, far = Groups(connect_briefly(redis_url)), Groups(connect_briefly(line.url))
    gathered(Submit(distant, gathering(near), now=lambda: AT), 100)
    far.take(Lane.OTP, "known", CLAIM, most=1)  # the script is known to Redis
    line.lose_an_answer_after(answered)
    taken = far.take(Lane.BULK, "c1", CLAIM, most=100)
    assert (line.lost, len(taken.claimed)) == (1, size)
    assert len(set(taken.claimed)) == size
    later = claim(AT + 2_000)
    rest = [one for place in range(2) for one in near.take(Lane.BULK, f"d{place}", later, most=100).claimed]
    assert {*taken.claimed, *rest} == {f"m{place}" for place in range(100)}
    assert len(rest) == 100 - size


def test_a_parcel_whose_answer_was_lost_is_taken_once_and_nothing_is_forgotten_with_it(
    line: Line, store: redis.Redis
) -> None:
    outbox = Outbox(connect_briefly(line.url))
    outbox.take()  # the script is known to Redis
    store.lpush(Queue.OTP, "first", "second")
    line.lose_next_answer()
    parcel = outbox.take(1)
    assert (line.lost, [posted.entry for posted in parcel.posted]) == (1, ["first"])
    outbox.handed_on(parcel)
    assert store.lrange(Queue.OTP, 0, -1) == ["second"]


def test_an_acceptance_whose_answer_was_lost_queues_once(line: Line, distant: Records, store: redis.Redis) -> None:
    line.lose_next_answer()
    submitted = Submit(distant)(MESSAGE, client="shop", idempotency_key="k")
    assert line.lost == 1
    assert store.llen(Queue.NOTICE) == 1
    known = distant.read(submitted.id)
    assert known is not None
    assert known.state is State.QUEUED


def test_a_push_whose_answer_was_lost_is_stored_once(line: Line, store: redis.Redis) -> None:
    pushes = Pushes(connect_briefly(line.url))
    pushes.store(Push("warm", PushKind.SMS_REPORT, "[]"))
    line.lose_next_answer()
    pushes.store(Push("p1", PushKind.SMS_REPORT, "[]"))
    assert line.lost == 1
    assert pushes.read("p1") == Push("p1", PushKind.SMS_REPORT, "[]")
    assert sorted(store.keys("sms:push:*")) == ["sms:push:p1", "sms:push:warm"]


def test_a_slot_whose_answer_was_lost_is_booked_once_and_ours(line: Line, store: redis.Redis) -> None:
    near, far = Pacer(store), Pacer(connect_briefly(line.url))
    everybody = [[("a", ((60.0, 1),))], [("b", ((60.0, 1),))]]
    far.book("warm", 100.0)  # the script is known to Redis
    near.book("main", 5.0, everybody[1:])
    line.lose_next_answer()
    booking = far.book("main", 5.0, everybody)
    assert (line.lost, list(booking.capped)) == (1, [1])
    assert 199 <= near.book("main", 5.0).at - booking.at <= 201, "one slot was booked, not two"
    assert store.strlen(keys.cap("main", "a")) == 5


def test_a_call_that_was_given_back_without_an_answer_is_given_back_once(line: Line, store: redis.Redis) -> None:
    near, far = Pacer(store), Pacer(connect_briefly(line.url))
    recipient = [[("a", ((60.0, 9),))]]
    far.give_back("warm", far.book("warm", None, recipient), recipient)
    booking = far.book("main", None, recipient)
    near.book("main", None, recipient)
    # One more of the very same time: it is not ours.
    twice = "redis.call('APPEND', KEYS[1], redis.call('GETRANGE', KEYS[1], 0, 4))"
    store.eval(twice, 1, keys.cap("main", "a"))
    before = store.strlen(keys.cap("main", "a"))
    line.lose_next_answer()
    far.give_back("main", booking, recipient)
    assert (line.lost, store.strlen(keys.cap("main", "a"))) == (1, before - 5)


def test_a_throttled_answer_that_was_reported_without_an_answer_counts_once(line: Line, store: redis.Redis) -> None:
    far = Pacer(connect_briefly(line.url))
    far.book("warm", 100.0)
    far.throttled("warm", 100.0)
    far.book("main", 100.0)
    line.lose_next_answer()
    far.throttled("main", 100.0)
    assert (line.lost, store.hget(keys.pace("main"), "cuts")) == (1, "1")
