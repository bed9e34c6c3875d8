"""Slices of work at Redis: one thread after the other, and none waits for one that hangs."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from smsgate.ledger.turns import AT_ONCE, in_turn, slices


def test_what_is_many_is_cut_and_all_of_it_is_there() -> None:
    cut = list(slices(range(2 * AT_ONCE + 1)))
    assert [len(some) for some in cut] == [AT_ONCE, AT_ONCE, 1]
    assert [one for some in cut for one in some] == list(range(2 * AT_ONCE + 1))
    assert list(slices([])) == []


def test_threads_take_turns() -> None:
    inside, most = [0], [0]

    def work(_: int) -> None:
        with in_turn():
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.002)  # others would come in now
            inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(32)))
    assert most == [1]


def test_one_that_hangs_or_fails_in_its_turn_holds_up_nobody_for_long() -> None:
    hangs, done = threading.Event(), threading.Event()

    def hang() -> None:
        with in_turn():
            hangs.set()
            done.wait(30)

    thread = threading.Thread(target=hang)
    thread.start()
    hangs.wait(30)
    with in_turn():
        assert thread.is_alive()
        done.set()
    thread.join()
    with in_turn():
        assert not thread.is_alive()


def test_a_process_that_was_forked_while_a_thread_had_its_turn_has_turns_of_its_own() -> None:
    has_it, done = threading.Event(), threading.Event()

    def work() -> None:
        with in_turn():
            has_it.set()
            done.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    has_it.wait(30)
    child = os.fork()
    if not child:
        began = time.monotonic()
        for _ in range(10):
            with in_turn():
                pass
        os._exit(time.monotonic() - began > 0.5)
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
