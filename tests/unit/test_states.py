from itertools import product

from smsgate.states import FINAL, FOLLOWS, LATE_TRUTH, RESTING, State, may_follow, predecessors


def _reachable(start: State) -> set[State]:
    found: set[State] = set()
    ahead = {start}
    while ahead:
        state = ahead.pop()
        ahead |= FOLLOWS[state] - found - {state}
        found |= {state}
    return found


def test_the_table_names_every_state() -> None:
    assert set(FOLLOWS) == set(State)


def test_nothing_follows_a_final_state_but_that_it_was_sent_after_all() -> None:
    assert {state for state in State if not FOLLOWS[state]} <= FINAL
    assert all(FOLLOWS[final] <= LATE_TRUTH for final in FINAL)
    assert not any(FOLLOWS[verdict] for verdict in (State.DELIVERED, State.UNDELIVERED, State.REJECTED))


def test_every_state_can_be_reached_from_queued() -> None:
    assert _reachable(State.QUEUED) == set(State)


def test_every_state_can_come_to_an_end() -> None:
    assert [state for state in State if not _reachable(state) & FINAL] == []


def test_no_state_follows_itself() -> None:
    assert [state for state in State if may_follow(state, state)] == []


def test_predecessors_and_followers_are_one_table_read_both_ways() -> None:
    for old, new in product(State, State):
        assert may_follow(old, new) is (old in predecessors(new)) is (new in FOLLOWS[old])


def test_sending_begins_only_from_the_queue() -> None:
    """Whatever may have been sent is asked for or put back first; nothing else may begin an attempt."""
    assert predecessors(State.SENDING) == {State.QUEUED}


def test_what_was_taken_by_the_provider_never_goes_back_to_the_queue() -> None:
    assert FOLLOWS[State.SENT] == {State.DELIVERED, State.UNDELIVERED}


def test_an_attempt_that_has_begun_cannot_be_cancelled_expired_or_rejected() -> None:
    assert not FOLLOWS[State.SENDING] & {State.CANCELLED, State.EXPIRED, State.REJECTED}


def test_a_dead_letter_rests_but_is_not_final() -> None:
    assert {State.DEAD} == RESTING - FINAL
    assert may_follow(State.DEAD, State.QUEUED)
