"""What a worker owes the broker, while several of its threads pay."""

from collections.abc import Callable

import pytest
import redis

from smsgate.errors import StoreUnavailable
from smsgate.ledger.unacked import Return, Taken, Unacked
from workers.debts import Debts

QUEUE = "sms.otp"


class Interrupted(Unacked):
    """What is unacknowledged, where something happens after the first task was given back."""

    then: Callable[[], object] | None = None

    def give_back(self, tag: str, *, last: bool, taken_before: float | None = None) -> Return:
        answer = super().give_back(tag, last=last, taken_before=taken_before)
        then, self.then = self.then, None
        if then:
            then()
        return answer


@pytest.fixture
def unacked(store: redis.Redis) -> Interrupted:
    unacked = Interrupted(store, "unacked_index", "unacked")
    for tag in ("first", "second"):
        unacked.note(tag, {"properties": {"delivery_tag": tag}}, QUEUE)
    return unacked


def test_a_task_that_one_thread_has_given_back_the_other_does_not_take_from_whoever_has_it_now(
    unacked: Interrupted, store: redis.Redis
) -> None:
    debts = Debts()
    for tag in ("first", "second"):
        debts.give_back(tag, last=False)

    def another_pays_and_a_worker_takes() -> None:
        debts.pay(unacked)
        for _ in range(2):
            entry = str(store.rpop(QUEUE))
            unacked.take(Taken("first" if "first" in entry else "second", entry), QUEUE, QUEUE, 0)

    unacked.then = another_pays_and_a_worker_takes
    assert debts.pay(unacked)

    assert sorted(store.hkeys("unacked")) == ["first", "second"]
    assert store.llen(QUEUE) == 0


def test_what_could_not_be_given_back_is_owed_still(unacked: Interrupted, store: redis.Redis) -> None:
    debts = Debts()
    debts.give_back("first", last=False)
    store.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert not debts.pay(unacked)
    finally:
        store.execute_command("REPLICAOF", "NO", "ONE")
    assert debts.open()
    assert debts.pay(unacked)
    assert not debts.open()
    assert store.llen(QUEUE) == 1


def test_a_task_whose_return_was_not_answered_is_left_to_whoever_has_taken_it_since(
    unacked: Interrupted, store: redis.Redis
) -> None:
    debts, worker = Debts(), Unacked(store, "unacked_index", "unacked")

    def lose_the_answer() -> None:
        raise StoreUnavailable("silent")

    debts.give_back("first", last=False)
    unacked.then = lose_the_answer
    assert not debts.pay(unacked)
    worker.take(Taken("first", str(store.rpop(QUEUE))), QUEUE, QUEUE, 0)
    assert debts.pay(unacked)
    assert not debts.open()
    assert store.hexists("unacked", "first")
    assert store.llen(QUEUE) == 0
