"""What `smsgate up` decides before it starts anything: above all, whether money will be spent."""

import socket
from pathlib import Path

import pytest

from smsgate.errors import SettingsError
from smsgate.local import plan, state
from smsgate.settings import Settings, load

PROCFILE = Path(__file__).parents[3] / "Procfile"
LOCAL = {"redis": "exec redis", "sandbox": "exec sandbox"}


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder and ports of one's own, and an environment in which nothing is said yet."""
    monkeypatch.chdir(tmp_path)
    for name in ("SMSGATE_REDIS_URL", "CELERY_BROKER_URL", "ALIBABA_CLOUD_ACCESS_KEY_ID", "SMSGATE_SIGN"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as http, socket.socket() as sandbox, socket.socket() as flower, socket.socket() as redis:
        for name, one in {"HTTP": http, "SANDBOX": sandbox, "FLOWER": flower, "REDIS": redis}.items():
            one.bind(("127.0.0.1", 0))
            monkeypatch.setenv(f"SMSGATE_{name}_PORT", str(one.getsockname()[1]))
    state.prepare()


def _plan() -> plan.Plan:
    return plan.draw_up(load(), PROCFILE)


def _redis_port() -> int:
    return Settings().redis_port


def test_without_anything_set_all_is_started_and_the_sandbox_is_the_provider() -> None:
    drawn = _plan()
    assert not drawn.real
    assert {
        "redis",
        "sandbox",
        "web",
        "otp",
        "notice",
        "bulk",
        "receipts",
        "questions",
        "webhooks",
        "beat",
        "flower",
    } == set(drawn.commands)
    assert drawn.environment["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "testid"
    assert drawn.environment["SMSGATE_ALIYUN_ENDPOINT"].startswith("127.0.0.1:")
    assert drawn.environment["SMSGATE_WEBHOOK_ALLOW_PRIVATE"] == "true"


def test_a_broker_besides_redis_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_BROKER_URL", "amqp://user:hunter2@rabbit//")
    with pytest.raises(SettingsError, match="SMSGATE_BROKER_URL") as refusal:
        _plan()
    assert "hunter2" not in str(refusal.value)


def test_credentials_that_lie_in_the_environment_do_not_send_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI-somebodys-own")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "somebodys-own-secret")
    drawn = _plan()
    assert not drawn.real
    assert drawn.environment["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "testid"
    assert "somebodys-own-secret" not in drawn.environment.values()


def test_a_redis_of_ones_own_and_credentials_are_the_real_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://db.example:6379/0")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI-somebodys-own")
    monkeypatch.setenv("SMSGATE_SIGN", "阿里云")
    drawn = _plan()
    assert drawn.real
    assert not LOCAL.keys() & drawn.commands.keys()
    assert "SMSGATE_ALIYUN_ENDPOINT" not in drawn.environment
    assert "SMSGATE_WEBHOOK_ALLOW_PRIVATE" not in drawn.environment


def test_the_real_provider_needs_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://db.example:6379/0")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI-somebodys-own")
    with pytest.raises(SettingsError, match="SMSGATE_SIGN"):
        _plan()


def test_the_sandbox_is_kept_from_the_messages_of_a_redis_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://db.example:6379/0")
    with pytest.raises(SettingsError, match="another host"):
        _plan()


def test_a_redis_of_ones_own_on_this_machine_goes_with_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGATE_REDIS_URL", "redis://localhost:6379/3")
    drawn = _plan()
    assert LOCAL.keys() & drawn.commands.keys() == {"sandbox"}
    assert drawn.environment["SMSGATE_REDIS_URL"] == "redis://localhost:6379/3"


def test_a_shell_that_points_at_the_last_run_starts_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `.smsgate/env` makes it."""
    first = _plan()
    for name in plan.SHARED_WITH_SHELLS:
        monkeypatch.setenv(name, first.environment[name])
    assert _plan() == plan.Plan(first.commands, {**first.environment, **_plan().environment}, real=False)
    assert "redis" in _plan().commands


def test_a_proxy_does_not_come_between_the_sdk_and_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert "HTTP_PROXY" not in _plan().environment


def test_a_taken_port_is_named_with_the_setting_that_moves_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", _redis_port()))
        taken.listen()
        with pytest.raises(SettingsError, match=f"{_redis_port()}.*redis.*SMSGATE_REDIS_PORT"):
            _plan()


def test_a_folder_is_held_by_one_at_a_time() -> None:
    state.lock("up", "`smsgate up`")
    with pytest.raises(SettingsError, match="runs in this folder already"):
        state.lock("up", "`smsgate up`")


def test_secrets_are_for_their_owner_only() -> None:
    state.secret("one")
    state.write_environment({"A": "b c'd"})
    assert {path.stat().st_mode & 0o777 for path in (state.HERE / "one", state.ENVIRONMENT)} == {0o600}
    assert state.HERE.stat().st_mode & 0o777 == 0o700
    assert state.secret("one") == state.secret("one")
