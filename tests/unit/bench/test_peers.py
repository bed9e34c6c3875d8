import re

from bench.peers.environments import LOCKS
from bench.peers.kills import counted
from bench.peers.ours import ours
from bench.peers.strangers import PROGRAMS, strangers


def test_what_never_came_is_lost_and_what_came_again_was_sent_twice() -> None:
    assert counted(["1", "2", "2", "3", "3", "3"], enqueued=5) == (2, 3)


def test_nothing_is_lost_or_sent_twice_when_each_came_once() -> None:
    assert counted(["1", "2", "3"], enqueued=3) == (0, 0)


def test_every_contender_has_a_name_of_its_own() -> None:
    names = [one.name for one in (*ours(), *strangers())]
    assert len(names) == len(set(names))


def test_every_peer_is_locked_with_hashes_and_the_same_sdk() -> None:
    peers = {path.stem.removesuffix("_peer") for path in PROGRAMS.glob("*_peer.py")} - {"celery"}
    assert {path.stem for path in LOCKS.glob("*.txt")} == peers
    sdks = {
        re.search(r"^alibabacloud-dysmsapi20170525==\S+", path.read_text(), re.MULTILINE)[0]
        for path in LOCKS.glob("*.txt")
    }
    assert len(sdks) == 1
    assert all("--hash=sha256:" in path.read_text() for path in LOCKS.glob("*.txt"))
