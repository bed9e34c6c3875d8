"""The file that declares channels and routes."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from smsgate.config import of_settings, read, warnings
from smsgate.config_file import ConfigFile
from smsgate.errors import SettingsError
from smsgate.flow.watch import Watch
from smsgate.ledger.channel_health import ChannelHealth
from smsgate.ledger.channel_states import ChannelStates
from smsgate.ledger.connection import connect_briefly
from smsgate.message import Lane
from smsgate.network import network_of, ways_in
from smsgate.routing.breaker import BreakerRule
from smsgate.routing.table import Strategy
from smsgate.settings import Settings

TWO = """
[channels.main]
weight = 10
cost = 0.045
[channels.main.provider_options]
endpoint = "127.0.0.1:8025"
protocol = "http"

[channels.backup]
provider = "tencent"
sign = "备用"
countries = ["CN"]
[channels.backup.provider_options]
app_id = "1400006666"
[channels.backup.templates]
SMS_154950909 = { code = "1234567", params = ["code"] }

[[routes]]
lane = "otp"
channels = ["main", "backup"]
strategy = "priority"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "smsgate.toml"


def _watch() -> Watch:
    """Watch over channels that nobody calls: no Redis is asked."""
    client = connect_briefly("redis://127.0.0.1:1/0")
    return Watch(ChannelStates(client, BreakerRule()), ChannelHealth(client, BreakerRule()))


def _settings(file: Path | None = None) -> Settings:
    return Settings(config=file, sign="短信网关")


def _refusal(file: Path, text: str) -> list[str]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        read(file)
    return [line.strip() for line in str(refusal.value).splitlines()]


def test_channels_and_routes_are_read_and_aliyuns_take_the_rest_from_the_environment(file: Path) -> None:
    file.write_text(TWO, encoding="utf-8")
    main, backup = ConfigFile(_settings(file)).current.channels
    assert (main.name, main.provider, main.sign, main.pace) == ("main", "aliyun", "短信网关", 5000)
    assert main.provider_options["endpoint"] == "127.0.0.1:8025"
    assert main.provider_options["read_timeout_ms"] == 10_000
    assert (backup.provider, backup.sign, backup.pace) == ("tencent", "备用", None)
    (route,) = read(file).routes
    assert (route.lane, route.channels, route.strategy) == ((Lane.OTP,), ("main", "backup"), Strategy.PRIORITY)


def test_without_a_file_the_settings_describe_the_one_channel() -> None:
    (channel,) = of_settings(_settings()).channels
    assert (channel.name, channel.sign, channel.pace) == ("aliyun", "短信网关", 5000)
    assert channel.provider_options["endpoint"] == "dysmsapi.aliyuncs.com"


def test_everything_that_is_wrong_is_told_at_once_where_it_stands_and_never_its_value(file: Path) -> None:
    told = _refusal(
        file,
        """
        [channels.Main]
        secret = "hunter2"
        [channels.b]
        rate = -1
        lanes = ["otpx"]
        [[routes]]
        channels = ["b"]
        [[routes]]
        channels = ["b"]
        strategy = "prio"
        [elsewhere]
        """,
    )
    assert told[0] == "smsgate.toml:"
    assert [line.partition(": ")[0] for line in told[1:]] == [
        "channels.Main",
        "channels.Main.secret",
        "channels.b.rate",
        "channels.b.lanes.0",
        "routes.2.strategy",
        "elsewhere",
    ]
    assert "hunter2" not in str(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[channels.a", "is not TOML"),
        ("channels = 1", "channels: "),
        ("channels = {}", "channels: "),
        ("[channels]\na = 1", "channels.a: "),
        ('[channels.a]\n[[routes]]\nchannels = ["b"]', "routes, rule 1: names channel b, which is not declared"),
        ('[channels.a]\nlanes = ["otp", "notice"]', "channels: no channel carries lane bulk"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(file: Path, text: str, told: str) -> None:
    assert told in "\n".join(_refusal(file, text))


def test_a_file_that_is_not_there_is_told_by_the_setting_that_names_it(file: Path) -> None:
    with pytest.raises(SettingsError, match="SMSGATE_CONFIG"):
        read(file)


def test_a_channel_that_no_rule_names_is_a_warning(file: Path) -> None:
    file.write_text('[channels.a]\n[channels.b]\n[[routes]]\nchannels = ["a"]', encoding="utf-8")
    (warning,) = warnings(read(file))
    assert (warning.where, "in no rule" in warning.text) == ("channels.b", True)


def test_options_that_a_provider_does_not_know_are_told_by_their_channel(file: Path) -> None:
    file.write_text('[channels.a]\n[channels.a.provider_options]\nendpiont = "x"', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"channels\.a\.provider_options: endpiont: is not known"):
        network_of(read(file))


def test_a_channel_named_like_nobodys_provider_is_refused_with_those_that_there_are(file: Path) -> None:
    file.write_text('[channels.a]\nprovider = "nobody"', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"channels\.a: provider: 'nobody' is none of aliyun, tencent"):
        network_of(read(file))


def _rewrite(file: Path, text: str, seconds: int) -> None:
    """Write a file whose time says that it was written later."""
    file.write_text(text, encoding="utf-8")
    known = file.stat()
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns + seconds * 1_000_000_000))


def test_a_changed_file_changes_the_ways_and_keeps_the_channels_that_are_the_same(
    file: Path,
) -> None:
    file.write_text(TWO, encoding="utf-8")
    ways = ways_in(ConfigFile(_settings(file), every=0.0), _watch())
    before = ways.network.ways
    _rewrite(file, TWO.replace("weight = 10", "weight = 1") + "[channels.third]\n", 1)
    after = ways.network.ways
    assert sorted(after) == ["backup", "main", "third"]
    assert after["main"].channel is before["main"].channel
    assert (before["main"].profile.weight, after["main"].profile.weight) == (10, 1)


@pytest.mark.parametrize(
    "wrong", ["[channels.a", TWO.replace("1400006666", ""), TWO.replace("app_id", "appid"), "[channels.a]\nx = 1"]
)
def test_a_changed_file_that_is_wrong_changes_nothing_and_is_told_of_once(file: Path, wrong: str) -> None:
    file.write_text(TWO, encoding="utf-8")
    ways = ways_in(ConfigFile(_settings(file), every=0.0), _watch())
    before = ways.network
    _rewrite(file, wrong, 1)
    with capture_logs() as logs:
        assert [ways.network is before for _ in range(3)] == [True] * 3
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["config_refused"]


def test_a_file_that_is_gone_for_a_moment_changes_nothing(file: Path) -> None:
    file.write_text(TWO, encoding="utf-8")
    known = ConfigFile(_settings(file), every=0.0)
    file.unlink()
    assert known.changed() is None
    _rewrite(file, TWO, 5)
    assert known.changed() is not None
