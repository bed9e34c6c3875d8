import os
import re

import pytest

from smsgate.errors import SettingsError
from smsgate.settings import Settings, load, name_of

HIDDEN = "hunter2hunter2hunter2"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("SMSGATE_", "CELERY_")):
            monkeypatch.delenv(name)


def _refusal(*required: str) -> str:
    with pytest.raises(SettingsError) as refusal:
        load(*required)
    return str(refusal.value)


def _lines(*required: str) -> dict[str, str]:
    return dict(re.findall(r"^  (\w+): (.+)$", _refusal(*required), re.MULTILINE))


def test_everything_has_a_default_or_may_be_absent() -> None:
    assert load().redis_url == "redis://127.0.0.1:6380/0"
    assert load().sign is None


def test_every_gap_is_named_at_once_with_what_it_is_for() -> None:
    lines = _lines("sign", "callback_secret", "flower_password")
    assert lines.keys() == {"SMSGATE_SIGN", "SMSGATE_CALLBACK_SECRET", "SMSGATE_FLOWER_PASSWORD"}
    assert all("is not set" in line for line in lines.values())
    assert "approved" in lines["SMSGATE_SIGN"]


def test_gaps_and_mistakes_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_HTTP_PORT", "99999")
    monkeypatch.setenv("SMSGATE_RETENTION_DAYS", "never")
    monkeypatch.setenv("SMSGATE_CALLBACK_SECRET", "short")
    assert _lines("sign", "callback_secret").keys() == {
        "SMSGATE_HTTP_PORT",
        "SMSGATE_RETENTION_DAYS",
        "SMSGATE_CALLBACK_SECRET",
        "SMSGATE_SIGN",
    }


def test_a_required_setting_that_is_there_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_SIGN", "阿里云短信测试")
    assert load("sign").sign == "阿里云短信测试"


def test_celerys_own_variable_names_the_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://celery:6379/1")
    assert load().redis_url == "redis://celery:6379/1"


def test_our_own_variable_goes_before_celerys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://celery:6379/1")
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://ours:6379/2")
    assert load().redis_url == "redis://ours:6379/2"


def test_a_broker_of_another_kind_does_not_matter_beside_our_own_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://rabbit//")
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://ours:6379/2")
    assert load().redis_url == "redis://ours:6379/2"


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://celery:6379/1")
    monkeypatch.setenv("SMSGATE_REDIS_URL", "")
    monkeypatch.setenv("SMSGATE_SIGN", "")
    assert load().redis_url == "redis://celery:6379/1"
    assert _lines("sign").keys() == {"SMSGATE_SIGN"}


@pytest.mark.parametrize("variable", ["SMSGATE_REDIS_URL", "CELERY_BROKER_URL"])
@pytest.mark.parametrize("url", ["localhost:6379", "http://host", "amqp://u:{}@rabbit//", "unix:///{}", " redis://x"])
def test_a_url_that_is_no_redis_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url.format(HIDDEN))
    refusal = _refusal()
    assert "SMSGATE_REDIS_URL" in refusal
    assert "redis://127.0.0.1:6379/0" in refusal
    assert HIDDEN not in refusal


@pytest.mark.parametrize("rest", [":{}/x@host/0", "host:{}/0", ":{}@host:99999/0", "[::1"])
def test_a_redis_url_that_cannot_be_read_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
    """Such as one whose password holds an unescaped slash: the driver's own error would show a part of it."""
    monkeypatch.setenv("SMSGATE_REDIS_URL", f"redis://{rest.format(HIDDEN)}")
    refusal = _refusal()
    assert "SMSGATE_REDIS_URL" in refusal
    assert HIDDEN not in refusal


def test_no_secret_is_in_the_text_or_the_repr_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_REDIS_URL", f"redis://:{HIDDEN}@host/0")
    monkeypatch.setenv("SMSGATE_CALLBACK_SECRET", HIDDEN)
    monkeypatch.setenv("SMSGATE_FLOWER_PASSWORD", HIDDEN)
    known = load()
    assert known.callback_secret == known.flower_password == HIDDEN
    for shown in (repr(known), str(known), f"{[known]}"):
        assert HIDDEN not in shown


def test_no_secret_is_in_the_text_of_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_CALLBACK_SECRET", f"{HIDDEN}/{HIDDEN}")
    monkeypatch.setenv("SMSGATE_HTTP_PORT", HIDDEN)
    monkeypatch.setenv("SMSGATE_REDIS_URL", HIDDEN)
    with pytest.raises(SettingsError) as refusal:
        load()
    assert HIDDEN not in str(refusal.value)
    # The cause, which a traceback would show too, keeps its input to itself.
    assert HIDDEN not in repr(refusal.value.__context__)


@pytest.mark.parametrize("days", ["0.00001", "0.5", "365"])
def test_a_message_can_be_read_for_a_while_after_its_end(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    """Redis takes a life of 0 seconds for a deletion."""
    monkeypatch.setenv("SMSGATE_RETENTION_DAYS", days)
    assert load().retention >= 1


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "366", "a week"])
def test_a_retention_out_of_reason_is_refused(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("SMSGATE_RETENTION_DAYS", days)
    assert _lines().keys() == {"SMSGATE_RETENTION_DAYS"}


def test_every_setting_says_what_it_is_for() -> None:
    """The README's table is made of these."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_settings_variable_is_its_name_with_our_prefix() -> None:
    assert name_of("redis_url") == "SMSGATE_REDIS_URL"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SMSGATE_FLOWER_PASSWORD", "abc,defgh:ij"),
        ("SMSGATE_ALIYUN_ENDPOINT", "https://dysmsapi.aliyuncs.com"),
        ("SMSGATE_REDIS_URL", "redis://host/abc"),
        ("SMSGATE_REDIS_URL", "redis://host/0?socket_timeout=x"),
    ],
)
def test_what_would_only_fail_later_or_open_a_door_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert variable in _refusal()


def test_without_a_broker_of_its_own_tasks_wait_in_the_redis_of_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://:secret@localhost:6379/1")
    assert (load().broker, load().has_own_broker) == ("redis://:secret@localhost:6379/1", False)


@pytest.mark.parametrize("same", ["redis://127.0.0.1:6379/1", "redis://:secret@localhost/1", "rediss://localhost/1"])
def test_a_broker_that_is_the_same_redis_is_none_of_its_own(monkeypatch: pytest.MonkeyPatch, same: str) -> None:
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://:secret@localhost:6379/1")
    monkeypatch.setenv("SMSGATE_BROKER_URL", same)
    assert (load().broker, load().has_own_broker) == ("redis://:secret@localhost:6379/1", False)


@pytest.mark.parametrize(
    "url", ["redis://localhost:6379/2", "amqp://u:p@rabbit:5672/sms", "sentinel://one:26379;sentinel://two:26379"]
)
def test_a_broker_of_its_own_is_where_workers_take_their_tasks(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://localhost:6379/1")
    monkeypatch.setenv("SMSGATE_BROKER_URL", url)
    assert (load().broker, load().has_own_broker) == (url, True)


@pytest.mark.parametrize(
    "url",
    ["rabbit:5672", "http://u:{}@host", "memory://", "redis://:{}/x@host/0", "amqp://u:{}@host:port//", "amqp:// {}"],
)
def test_a_broker_that_cannot_be_shared_or_read_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SMSGATE_BROKER_URL", url.format(HIDDEN))
    refusal = _refusal()
    assert "SMSGATE_BROKER_URL: " in refusal
    assert HIDDEN not in refusal


def test_nothing_of_the_broker_is_in_the_text_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_BROKER_URL", f"amqp://u:{HIDDEN}@rabbit//")
    monkeypatch.setenv("SMSGATE_BROKER_OPTIONS", f'{{"sentinel_kwargs": {{"password": "{HIDDEN}"}}}}')
    assert HIDDEN not in repr(load())
    assert load().broker_options == {"sentinel_kwargs": {"password": HIDDEN}}


def test_what_is_no_json_is_named_like_any_other_mistake_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_BROKER_OPTIONS", f"{{password: {HIDDEN}}}")
    monkeypatch.setenv("SMSGATE_RETENTION_DAYS_BY_STATE", "delivered=1")
    monkeypatch.setenv("SMSGATE_GATHER_BY_TEMPLATE", "[]")
    monkeypatch.setenv("SMSGATE_HTTP_PORT", "none")
    lines = _lines()
    assert lines.keys() == {
        "SMSGATE_BROKER_OPTIONS",
        "SMSGATE_RETENTION_DAYS_BY_STATE",
        "SMSGATE_GATHER_BY_TEMPLATE",
        "SMSGATE_HTTP_PORT",
    }
    assert "is not JSON" in lines["SMSGATE_BROKER_OPTIONS"]
    assert HIDDEN not in _refusal()


def test_a_mistake_within_json_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_GATHER_BY_TEMPLATE", '{"SMS_1": {"seconds": 900}, "SMS_2": {"sizes": 5}}')
    monkeypatch.setenv("SMSGATE_RETENTION_DAYS_BY_STATE", '{"sold": 1}')
    refusal = _refusal()
    assert "SMSGATE_GATHER_BY_TEMPLATE: SMS_1: seconds: " in refusal
    assert "SMSGATE_GATHER_BY_TEMPLATE: SMS_2: sizes: " in refusal
    assert "SMSGATE_RETENTION_DAYS_BY_STATE: sold: " in refusal


def test_a_mistake_is_told_with_what_the_setting_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_GATHER_SECONDS", "abc")
    monkeypatch.setenv("SMSGATE_BROKER_URL", "foo")
    lines = _lines()
    assert "Seconds for which" in lines["SMSGATE_GATHER_SECONDS"]
    assert lines["SMSGATE_BROKER_URL"].startswith("must be KIND://")
