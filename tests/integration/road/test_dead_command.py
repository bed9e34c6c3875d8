"""`smsgate dead`, `smsgate cancel`, `smsgate lanes` and what `smsgate doctor` and /readyz say of what stands still."""

import json
import subprocess
import time
from typing import Any

import pytest

from smsgate.flow.submit import draft
from smsgate.ledger import keys
from smsgate.ledger.dead_letters import DeadLetters
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.message import Lane, Message, MessageId
from smsgate.states import State
from tests.integration.nodes.gateway import TEMPLATE, Gateway, fresh_phone, worker_settings

NO_MONEY = "isv.AMOUNT_NOT_ENOUGH"
DENIED = "isp.RAM_PERMISSION_DENY"


def _smsgate(gateway: Gateway, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    done = gateway.run("smsgate", *words, SMSGATE_REDIS_URL=gateway.redis_url, **settings)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def empty(resting: Gateway) -> Gateway:
    """A gateway that rests, without letters of other tests."""
    resting.redis.delete(keys.DEAD)
    return resting


def _die(gateway: Gateway, name: str, reason: str, *, ago: float = 0, **fields: Any) -> str:
    now = time.time_ns() // 1_000_000
    message = {"to": fresh_phone(), "template": TEMPLATE, "params": {"code": "135790"}, **fields}
    records = Records(gateway.redis, retention=Retention(3600))
    gateway.redis.delete(keys.record(MessageId(name)))
    records.accept(draft(Message.check(message), MessageId(name), client="shop", at=now - 3600_000), slot=None)
    at = now - int(ago * 1000)
    records.move(MessageId(name), State.DEAD, at=at, fields={"reason": reason}, detail={"reason": reason})
    return name


def _left(gateway: Gateway) -> set[str]:
    return set(gateway.redis.zrange(keys.DEAD, 0, -1))


def test_the_list_shows_letters_and_counts_them_by_reason(empty: Gateway) -> None:
    for number in range(3):
        _die(empty, f"money-{number}", NO_MONEY, lane="bulk")
    _die(empty, "denied", DENIED, ago=7200)

    done = _smsgate(empty, "dead", "list")
    recent = _smsgate(empty, "dead", "list", "--since", "1h", "--limit", "2")
    denied = json.loads(_smsgate(empty, "dead", "list", "--reason", "isp.*", "--json").stdout)

    assert all(name in done.stdout for name in ("money-0", "money-1", "money-2", "denied", "bulk", TEMPLATE))
    assert f"4 dead letters:  {NO_MONEY} 3  {DENIED} 1" in done.stdout
    assert "3 dead letters" in recent.stdout
    assert "denied" not in recent.stdout
    rest = recent.stdout.split("--cursor ")[1].strip()
    assert "money-0" in _smsgate(empty, "dead", "list", "--since", "1h", "--cursor", rest).stdout
    assert [one["id"] for one in denied["dead_letters"]] == ["denied"]
    assert denied["counts"] == {DENIED: 1}


def test_a_letter_is_shown_masked_unless_it_is_to_be_revealed(empty: Gateway) -> None:
    phone = fresh_phone()
    _die(empty, "letter", NO_MONEY, to=phone, params={"code": "[red]135790"}, lane="otp")

    masked, revealed = _smsgate(empty, "dead", "show", "letter"), _smsgate(empty, "dead", "show", "letter", "--reveal")

    assert all(word in masked.stdout for word in ("queued", "dead", NO_MONEY, "code", TEMPLATE))
    assert phone not in masked.stdout
    assert "135790" not in masked.stdout
    assert f"+86{phone}" in revealed.stdout
    assert '"code": "[red]135790"' in revealed.stdout


def test_letters_are_replayed_by_id_by_reason_and_all(empty: Gateway) -> None:
    for number in range(3):
        _die(empty, f"money-{number}", NO_MONEY, lane="bulk")
    _die(empty, "denied", DENIED, lane="bulk")
    _die(empty, "doubtful", "uncertain", lane="bulk")

    one = _smsgate(empty, "dead", "replay", "money-0")
    again = _smsgate(empty, "dead", "replay", "money-0", "none")
    assert (one.returncode, again.returncode) == (0, 1)
    assert "1 replayed." in one.stdout
    assert "1 not replayed: not_dead." in again.stdout
    assert "1 not replayed: missing." in again.stdout
    unasked = _smsgate(empty, "dead", "replay", "--reason", NO_MONEY)
    assert (unasked.returncode, f"Replay 2 dead letters:  {NO_MONEY} 2?" in unasked.stdout) == (1, True)
    assert len(_left(empty)) == 4
    spaced = _smsgate(empty, "dead", "replay", "--reason", "isv.*", "--rate", "0.1", "--yes")
    assert "2 replayed, the last one goes at" in spaced.stdout
    every = _smsgate(empty, "dead", "replay", "--all", "--yes")
    assert "1 not replayed: may_have_been_sent." in every.stdout
    assert _left(empty) == {"doubtful"}
    assert "1 replayed." in _smsgate(empty, "dead", "replay", "--reason", "uncertain", "--yes").stdout


def test_letters_are_dropped_by_id_and_by_filter(empty: Gateway) -> None:
    for name, reason in (("a", NO_MONEY), ("b", NO_MONEY), ("c", DENIED)):
        _die(empty, name, reason)

    assert _smsgate(empty, "dead", "drop", "a").returncode == 1
    assert _left(empty) == {"a", "b", "c"}
    assert _smsgate(empty, "dead", "drop", "a", "--yes").stdout == "1 dropped.\n"
    assert _smsgate(empty, "dead", "drop", "--reason", NO_MONEY, "--yes").stdout == "1 dropped.\n"
    assert _left(empty) == {"c"}
    dropped = Records(empty.redis, retention=Retention(3600)).read(MessageId("a"))
    assert dropped is not None
    assert dropped.state is State.CANCELLED


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["dead", "replay"], "--all"),
        (["dead", "replay", "x", "--all"], "--all"),
        (["dead", "drop"], "--all"),
        (["dead", "list", "--since", "yesterday"], "2h"),
        (["dead", "list", "--cursor", "x"], "next"),
        (["dead", "replay", "--all", "--rate", "0"], "--rate"),
        (["dead", "show", "none"], "none"),
        (["cancel", "none"], "none"),
        (["lanes", "pause", "fast"], "notice"),
    ],
)
def test_the_commands_name_what_is_wrong(resting: Gateway, words: list[str], told: str) -> None:
    done = _smsgate(resting, *words)

    assert done.returncode in (1, 2)
    assert told in done.stderr


def test_a_message_is_cancelled_while_it_waits_and_not_later(resting: Gateway) -> None:
    waiting, dead = resting.send(), _die(resting, "dead-one", NO_MONEY)

    assert _smsgate(resting, "cancel", waiting).stdout == f"{waiting} is cancelled.\n"
    late = _smsgate(resting, "cancel", dead)

    assert resting.show(waiting)["state"] == "cancelled"
    assert (late.returncode, "is dead" in late.stderr) == (1, True)


def test_a_lane_is_paused_seen_and_resumed(resting: Gateway) -> None:
    _smsgate(resting, "lanes", "pause", "bulk", "--reason", "the [sign] is being mended")

    assert "the [sign] is being mended" in _smsgate(resting, "lanes").stdout
    ready = resting.web.ask("GET", "/readyz")
    assert (ready.status_code, ready.json()["paused"]) == (200, {"bulk": "hand"})
    assert "goes on" in _smsgate(resting, "lanes", "resume", "bulk").stdout
    assert "was not paused" in _smsgate(resting, "lanes", "resume", "bulk").stdout
    ready = resting.web.ask("GET", "/readyz").json()
    assert (ready["status"], ready["paused"]) == ("ready", {})


def test_the_doctor_warns_of_what_stands_still(empty: Gateway) -> None:
    lanes = Lanes(empty.redis)
    now = time.time_ns() // 1_000_000
    lanes.pause(Lane.BULK, Pause(By.BRAKE, "20 of the last 20 messages ended dead", now))
    _die(empty, "recent", NO_MONEY)
    _die(empty, "old", NO_MONEY, ago=2 * 86_400)
    empty.redis.zadd(keys.due(Lane.OTP), {"some-message": now - 90_000})
    settings = worker_settings(empty.redis_url, empty.sandbox)
    del settings["SMSGATE_REDIS_URL"]

    said = _smsgate(empty, "doctor", **settings).stdout
    lanes.resume(Lane.BULK)
    empty.redis.zrem(keys.due(Lane.OTP), "some-message")

    for word in ("bulk is paused by brake", "smsgate lanes resume bulk", "1 in the last day", "smsgate dead replay"):
        assert word in said
    assert "overdue by up to" in said
    assert "start beat (exactly one)" in said
    assert DeadLetters(empty.redis, Records(empty.redis, retention=Retention(1))).died_since(0) == 2
