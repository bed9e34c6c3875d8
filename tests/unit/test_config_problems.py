"""What is told of a wrong file: the place as the file has it, and what must stand there, in no library's words."""

from pathlib import Path

import pytest

from smsgate.config import read
from smsgate.errors import SettingsError

# Words of the library that reads the file.
JARGON = ("Input", "pattern", "tuple", "dictionary", "instance", "frozenset", "extra", "validation", "[key]")


def _told(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "smsgate.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        read(file)
    assert not any(word in str(refusal.value) for word in JARGON)
    return [line.strip() for line in str(refusal.value).splitlines()[1:]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[channels.Main]", "channels.Main: the name of a channel has small letters, digits and -"),
        ('channels = ["a"]', "channels.1: write a table [channels.NAME] for each channel"),
        ("channels = 1", "channels: write a table [channels.NAME] for each channel"),
        ("channels = {}", "channels: declares none; write a table [channels.NAME]"),
        ("[channels]\na = 1", "channels.a: write a table [channels.NAME] for each channel"),
        ("[channels.a]\nrate = 0", "channels.a.rate: must be above 0"),
        ("[channels.a]\nweight = 1001", "channels.a.weight: must be 1000 at the most"),
        ('[channels.a]\ncost = "cheap"', "channels.a.cost: must be a number, without quotes"),
        ('[channels.a]\nlanes = "otp"', "channels.a.lanes: must be a list, such as"),
        ('[channels.a]\nlanes = ["sms"]', "channels.a.lanes.0: must be 'otp', 'notice' or 'bulk'"),
        ('[channels.a]\ncountries = ["China"]', "channels.a.countries.0: must be two capital letters such as CN, or"),
        ("[channels.a]\nsign = 1", "channels.a.sign: must be a text in quotes"),
        ('[channels.a.templates]\n"SMS 1" = { code = "1" }', "channels.a.templates.SMS 1: is no code of a template"),
        ('[channels.a.templates]\nSMS_1 = "1"', "channels.a.templates.SMS_1: write a table [channels.NAME.templates]"),
        ("[channels.a.templates]\nSMS_1 = {}", "channels.a.templates.SMS_1.code: is missing"),
        ("[channels.a]\nprovider_options = 1", "channels.a.provider_options: write a table"),
        ("[[channels.a.recipient_limits]]", "channels.a.recipient_limits.0.allow: is missing"),
        ('[[channels.a.recipient_limits]]\nallow = ["1/minit"]', "channels.a.recipient_limits.0.allow.0: must be such"),
        ("routes = 1", "routes: write a table [[routes]] for each rule"),
        ("[[routes]]", "routes.1.channels: is missing"),
        ("[[routes]]\nchannels = []", "routes.1.channels: must name one at least"),
        ('[[routes]]\nchannels = "A"', "routes.1.channels.0: the name of a channel has small letters"),
        ('[[routes]]\nchannels = "aliyun"\nstrategy = "prio"', "routes.1.strategy: must be 'priority', 'weighted',"),
        ('[[routes]]\nchannels = "aliyun"\ncountry = "*"', "routes.1.country.0: must be two capital letters such as"),
        ('[[limits]]\nname = "a b"\nallow = "1/hour"', "limits.1.name: has letters, digits"),
        ("[breaker]\nshare = 2", "breaker.share: must be 1 at the most"),
        ("[breaker]\nprobes = 1.5", "breaker.probes: must be a whole number"),
        ('[health]\nenabled = "perhaps"', "health.enabled: must be true or false, without quotes"),
        ("health = true", "health: must be a table"),
    ],
)
def test_a_mistake_is_told_with_what_must_stand_there(tmp_path: Path, text: str, line: str) -> None:
    (told,) = _told(tmp_path, text)
    assert told.startswith(line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[chanels.a]", "chanels: is not known here; did you mean channels? there can be breaker, channels, "),
        (
            "[channels.a]\nwieght = 1",
            "channels.a.wieght: is not known here; did you mean weight? there can be cost, countries, lanes, provider",
        ),
        ("[channels.a]\nxyz = 1", "channels.a.xyz: is not known here; there can be cost, countries, lanes, provider, "),
        (
            '[channels.a.templates]\nSMS_1 = { code = "1", parms = [] }',
            "channels.a.templates.SMS_1.parms: is not known here; did you mean params? there can be code, params",
        ),
        (
            '[[routes]]\nchannels = "aliyun"\nxyz = 1',
            "routes.1.xyz: is not known here; there can be alternate, carrier, channels, client, country, lane, strat",
        ),
        (
            '[[limits]]\nname = "a"\nallow = "1/hour"\nlane = "otp"',
            "limits.1.lane: is not known here; did you mean la",
        ),
        ("[health]\nrecepits = false", "health.recepits: is not known here; did you mean receipts? there can be enabl"),
    ],
)
def test_what_is_not_known_is_told_with_what_is_known_of_that_table(tmp_path: Path, text: str, line: str) -> None:
    (told,) = _told(tmp_path, text)
    assert told.startswith(line)
