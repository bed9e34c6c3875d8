import pytest

from bench.gaps import Gaps
from bench.peers.environments import LOCKS


def test_what_fails_does_not_end_the_others_and_is_told_with_its_reason() -> None:
    gaps = Gaps()
    with gaps.allowed("this one"):
        raise TimeoutError("not within 60 s\nsaid /somewhere/on/this/machine")
    with gaps.allowed("that one"):
        pass
    assert "this one (TimeoutError: not within 60 s)" in gaps.note
    assert "that one" not in gaps.note


def test_the_reason_names_no_folder_of_this_machine() -> None:
    gaps = Gaps()
    with gaps.allowed("this one"):
        (LOCKS / "nosuch.txt").read_text()
    assert "'bench/peers/locks/nosuch.txt'" in gaps.note


def test_nothing_is_told_where_nothing_failed() -> None:
    assert not Gaps().note


def test_being_stopped_ends_everything() -> None:
    with pytest.raises(KeyboardInterrupt), Gaps().allowed("this one"):
        raise KeyboardInterrupt
