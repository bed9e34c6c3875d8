"""What operators do with `smsgate channels`, while workers run elsewhere: the real command, the real gateway."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.nodes.gateway import fresh_phone
from tests.integration.nodes.until import until
from tests.integration.routes.conftest import Routed

# What scripts rely on.
NAMES = {
    *("name", "provider", "declared", "state", "breaker", "paused", "questions", "weight", "declared_weight", "health"),
    *("success", "p50_ms", "p95_ms", "delivered", "receipt_delay_seconds", "calls_per_second", "throttled", "rate"),
    *("last_error", "kinds"),
}


def _settings(routed: Routed) -> dict[str, str]:
    return {"SMSGATE_REDIS_URL": routed.gateway.redis_url, "SMSGATE_CONFIG": str(routed.file)}


def _run(routed: Routed, *arguments: str) -> subprocess.CompletedProcess[str]:
    return routed.gateway.run("smsgate", "channels", *arguments, **_settings(routed))


def _told(routed: Routed, name: str) -> dict[str, Any]:
    done = _run(routed, "--json")
    assert done.returncode == 0, done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)["channels"]}[name]


def _sent_by(routed: Routed) -> str:
    return str(routed.gateway.until_state(routed.gateway.send(), "delivered")["channel"])


def test_the_table_and_the_object_tell_what_goes_through_each_channel(routed: Routed) -> None:
    for _ in range(3):
        _sent_by(routed)
    main = until(lambda: told if (told := _told(routed, "main"))["calls_per_second"] else None, "calls are counted")
    assert main.keys() == NAMES
    assert (main["state"], main["success"], main["declared"], main["provider"]) == ("closed", 1.0, True, "aliyun")
    assert main["rate"]["declared"] == main["rate"]["effective"] == 5000.0
    assert [(kind["carrier"], kind["lanes"]) for kind in main["kinds"] if kind["calls_per_second"]] == [
        ("mobile", "otp")
    ]
    table = _run(routed, "--by-carrier")
    assert table.returncode == 0, table.stderr
    for told in ("main", "backup", "closed", "1 × 1.00", "100.0 %", "/ 5,000", "mobile, otp"):
        assert told in table.stdout


def test_a_paused_channel_carries_nothing_until_it_is_resumed(routed: Routed) -> None:
    done = _run(routed, "pause", "main", "--reason", "their maintenance")
    assert (done.returncode, "main is paused" in done.stdout) == (0, True), done.stderr
    try:
        until(lambda: _sent_by(routed) == "backup", "codes go by the backup")
        main = _told(routed, "main")
        assert (main["state"], main["paused"]["reason"], main["breaker"]["state"]) == (
            "paused",
            "their maintenance",
            "closed",
        )
        assert "their maintenance" in _run(routed).stdout
    finally:
        resumed = _run(routed, "resume", "main")
    assert resumed.stdout == "main goes on.\n"
    until(lambda: _sent_by(routed) == "main", "codes go by main again")
    assert _run(routed, "resume", "main").stdout == "main was not paused.\n"


def test_a_breaker_that_was_opened_by_hand_stays_so_until_it_is_closed(routed: Routed) -> None:
    assert _run(routed, "open", "main", "--reason", "a drill").returncode == 0
    try:
        until(lambda: _sent_by(routed) == "backup", "codes go by the backup")
        breaker = _told(routed, "main")["breaker"]
        assert (breaker["state"], breaker["reason"], breaker["detail"]) == ("open", "by_hand", "a drill")
        events = json.loads(_run(routed, "--events", "--json").stdout)["events"]
        assert (events[0]["channel"], events[0]["after"], events[0]["reason"]) == ("main", "open", "by_hand")
        assert "a drill" in _run(routed, "--events").stdout
    finally:
        closed = _run(routed, "close", "main")
    assert closed.stdout == "The breaker of main is closed.\n"
    assert _run(routed, "close", "main").stdout == "The breaker of main was closed already.\n"
    until(lambda: _sent_by(routed) == "main", "codes go by main again")


@pytest.mark.parametrize("act", ["pause", "resume", "open", "close"])
def test_a_channel_that_is_not_declared_is_refused_with_those_that_are(routed: Routed, act: str) -> None:
    done = _run(routed, act, "mian")
    assert (done.returncode, "There is no channel mian" in done.stderr) == (1, True)
    assert done.stderr.rstrip().endswith("there is main, backup.")


def test_the_way_of_a_message_is_told_and_its_number_is_not(routed: Routed) -> None:
    phone = fresh_phone()
    done = _run(routed, "route", "--to", phone, "--template", "SMS_1", "--lane", "otp")
    assert done.returncode == 0, done.stderr
    assert phone not in done.stdout
    number, rule, first, second = done.stdout.splitlines()
    assert number.endswith("(CN, mobile, otp)")
    assert rule == "rule 1 fits (every message); priority"
    assert (first.split()[:2], second.split()[:2]) == (["1.", "main"], ["2.", "backup"])


def test_a_number_that_is_none_is_refused_without_being_repeated(routed: Routed) -> None:
    done = _run(routed, "route", "--to", "139000", "--template", "SMS_1")
    assert (done.returncode, "139000" in done.stderr) == (1, False)
    assert done.stderr.startswith("smsgate: to: is not a number")


def test_a_file_is_good_or_every_mistake_is_told_with_its_place_and_its_fix(routed: Routed, tmp_path: Path) -> None:
    done = _run(routed, "check")
    assert (done.returncode, done.stdout) == (0, f"{routed.file}: 2 channels, 1 route, 0 limits: good\n")
    file = tmp_path / "other.toml"
    file.write_text('[channels.a]\n[channels.a.provider_options]\nendpiont = "x"\n[[routes]]\nchannels = ["b"]')
    done = _run(routed, "check", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: routes, rule 1: names channel b, which is not declared; declare [channels.b]" in done.stderr
    assert "error: channels.a.provider_options: endpiont: is not known; it can have" in done.stderr


def test_what_is_allowed_and_hardly_meant_is_a_warning(routed: Routed, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text('[channels.a]\nsign = "a"\n[channels.b]\n[[routes]]\nchannels = "a"')
    done = _run(routed, "check", str(file))
    assert (done.returncode, done.stdout) == (0, f"{file}: 2 channels, 1 route, 0 limits: good\n")
    assert "warning: channels.b: is in no rule" in done.stderr
    assert "warning: channels.b.sign: is not set" in done.stderr


def test_without_a_file_there_is_nothing_to_check(routed: Routed) -> None:
    done = routed.gateway.run("smsgate", "channels", "check")
    assert (done.returncode, "SMSGATE_CONFIG" in done.stderr) == (2, True)


@pytest.mark.parametrize("form", [["--json"], []])
def test_watching_goes_on_until_ctrl_c(routed: Routed, form: list[str]) -> None:
    child = subprocess.Popen(
        ["smsgate", "channels", "--watch", "0.2", *form],
        cwd=routed.gateway.folder,
        env={**routed.gateway.environment, **_settings(routed)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Python leaves Ctrl-C alone where whoever started the tests had it ignored, as `nohup` does.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it takes no lock
    )
    try:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(2 * len(form))]
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(2)
        child.send_signal(signal.SIGINT)
        rest, errors = child.communicate(timeout=10)
    finally:
        child.kill()
    assert (child.returncode, errors) == (0, "")
    assert [json.loads(line).keys() for line in lines] == [{"channels"}] * len(lines)
    assert form or "backup" in rest


def test_without_redis_one_line_says_so(routed: Routed) -> None:
    done = routed.gateway.run("smsgate", "channels", SMSGATE_REDIS_URL="redis://127.0.0.1:1/0")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("smsgate: Redis: ConnectionError; check SMSGATE_REDIS_URL")
