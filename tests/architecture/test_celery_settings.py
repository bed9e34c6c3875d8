"""Celery's settings that must fit each other, ours, and the provider's times."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smsgate.flow.patience import ATTEMPTS, LONGEST_HOLD, Patience
from smsgate.local.processes import GRACE
from smsgate.settings import Settings

ASKED = """
import json
from workers.app import app
from workers.tasks import send_sms
names = ("accept_content task_serializer result_serializer task_soft_time_limit task_time_limit "
         "worker_soft_shutdown_timeout broker_transport_options broker_url broker_read_url broker_write_url "
         "task_acks_late task_reject_on_worker_lost worker_prefetch_multiplier result_backend "
         "worker_cancel_long_running_tasks_on_connection_loss task_acks_on_failure_or_timeout").split()
known = {name: app.conf[name] for name in names}
known["retry_backoff_max"] = send_sms.retry_backoff_max
known["max_retries"] = send_sms.max_retries
print(json.dumps(known))
"""
PROVIDER_TIMEOUTS = ("aliyun_connect_timeout", "aliyun_read_timeout")


@pytest.fixture(scope="module")
def known(ask: Callable[..., Any]) -> dict[str, Any]:
    return dict(ask(ASKED, environment={"SMSGATE_REDIS_URL": "redis://ours:1/0"}))


def _call(which: Callable[[Any], float]) -> float:
    """Add up what a call to the provider may take."""
    return sum(which(Settings.model_fields[name]) for name in PROVIDER_TIMEOUTS)


def _longest_allowed(field: Any) -> float:
    return float(next(rule.le for rule in field.metadata if hasattr(rule, "le")))


def test_what_a_broker_holds_is_read_as_json_only(known: dict[str, Any]) -> None:
    assert known["accept_content"] == ["json"]
    assert known["task_serializer"] == known["result_serializer"] == "json"


def test_a_task_in_hand_is_not_given_to_a_second_worker(known: dict[str, Any]) -> None:
    """Redis does so after the visibility timeout: whatever a task may wait or last must be shorter."""
    visible = known["broker_transport_options"]["visibility_timeout"]
    longest = known["task_time_limit"] + max(LONGEST_HOLD, known["retry_backoff_max"])
    assert visible > longest


def test_a_call_to_the_provider_ends_before_its_task_is_cut_off(known: dict[str, Any]) -> None:
    assert _call(lambda field: field.default) < known["task_soft_time_limit"] < known["task_time_limit"]


def test_no_timeout_that_may_be_set_outlasts_the_task(known: dict[str, Any]) -> None:
    """A longer one would be cut off in the middle of a call, and leave every slow message uncertain."""
    assert _call(_longest_allowed) < known["task_soft_time_limit"]


def test_a_worker_that_is_stopped_ends_its_call_first(known: dict[str, Any]) -> None:
    assert known["worker_soft_shutdown_timeout"] > known["task_soft_time_limit"] > _call(lambda field: field.default)
    assert _call(lambda field: field.default) < GRACE


def test_a_message_gets_five_attempts(known: dict[str, Any]) -> None:
    assert known["max_retries"] + 1 == ATTEMPTS == 5


def test_an_attempt_is_doubted_only_when_its_worker_has_been_stopped(known: dict[str, Any]) -> None:
    assert Patience().lease > known["task_time_limit"]
    assert Patience().overdue > known["task_time_limit"]
    assert (
        min(rule.ge for rule in Settings.model_fields["lease_seconds"].metadata if hasattr(rule, "ge"))
        > known["task_time_limit"]
    )


def test_the_settings_begin_with_the_patience_that_the_code_explains() -> None:
    names = {"lease": "lease_seconds", "overdue": "overdue_seconds", "settling": "settling_seconds"}
    given = {name: Settings.model_fields[field].default for name, field in names.items()}
    hours = Settings.model_fields["receipt_timeout_hours"].default
    assert Patience(**given, receipt=hours * 3600) == Patience()


def test_no_task_is_lost_with_its_worker(known: dict[str, Any]) -> None:
    assert known["task_acks_late"]
    assert known["task_reject_on_worker_lost"]
    assert known["worker_prefetch_multiplier"] == 1
    assert not known["worker_cancel_long_running_tasks_on_connection_loss"]


def test_nobody_waits_for_ever_for_a_redis_that_says_nothing(known: dict[str, Any]) -> None:
    options = known["broker_transport_options"]
    assert 0 < options["socket_connect_timeout"] <= options["socket_timeout"] <= 10


def test_results_are_not_kept_beside_the_records(known: dict[str, Any]) -> None:
    assert known["result_backend"] is None


def test_celery_uses_our_redis_whatever_its_own_variable_says(ask: Callable[..., Any], known: dict[str, Any]) -> None:
    environment = {"SMSGATE_REDIS_URL": "redis://ours:1/0", "CELERY_BROKER_URL": "redis://theirs:2/0"}
    program = """
import json
from workers.app import app
connections = app.connection_for_read(), app.connection_for_write(), app.connection()
print(json.dumps([one.as_uri(include_password=True) for one in connections]))
"""
    assert ask(program, environment=environment) == ["redis://ours:1/0"] * 3


def test_celery_never_shows_the_password_of_our_redis(ask: Callable[..., Any]) -> None:
    """`celery inspect conf`, `celery report` and Flower show the settings, and mask those they know to hold one."""
    program = (
        "import json\nfrom workers.app import app\nprint(json.dumps([app.conf.humanize(), str(app.conf.table())]))"
    )
    shown = ask(program, environment={"SMSGATE_REDIS_URL": "redis://:hunter2%2F@ours:1/0"})
    assert "hunter2" not in repr(shown)
    assert "ours:1" in repr(shown)


THEIR_SETTINGS = "broker_url = 'redis://theirs:2/0'\ntask_serializer = 'yaml'\n"


def test_a_host_program_keeps_its_own_celeryconfig_and_we_keep_ours(ask: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "celeryconfig.py").write_text(THEIR_SETTINGS)
    program = """
import json
from celery import current_app
from workers.app import app
from workers.tasks import send_sms
ours = app.connection_for_write().as_uri(include_password=True)
print(json.dumps([current_app.conf.broker_url, current_app.conf.task_serializer,
                  ours, app.conf.task_serializer, send_sms.app is app]))
"""
    environment = {"SMSGATE_REDIS_URL": "redis://ours:1/0"}
    answer = ask(program, cwd=tmp_path, environment=environment)
    assert answer == ["redis://theirs:2/0", "yaml", "redis://ours:1/0", "json", True]


@pytest.mark.parametrize("order", ["theirs first", "ours first"])
def test_a_host_programs_app_stays_its_default(ask: Callable[..., Any], tmp_path: Path, order: str) -> None:
    ours = "import workers.tasks"
    theirs = "host = celery.Celery('host', broker='redis://theirs:2/0')"
    lines = [theirs, ours] if order == "theirs first" else [ours, theirs]
    program = "\n".join(
        [
            "import celery, json",
            *lines,
            "@celery.shared_task",
            "def theirs(): pass",
            "current = celery.current_app",
            "print(json.dumps([current.main, current.conf.broker_url, theirs.app.main, 'sms.send' in host.tasks]))",
        ]
    )
    assert ask(program, cwd=tmp_path) == ["host", "redis://theirs:2/0", "host", False]


def test_a_host_program_keeps_its_own_logs(ask: Callable[..., Any]) -> None:
    program = """
import celery, json, logging
import workers.tasks
host = celery.Celery("host", broker="memory://")
host.log.setup(loglevel="INFO")
print(json.dumps([type(one.formatter).__module__ for one in logging.getLogger().handlers]))
"""
    assert ask(program) == ["celery.utils.log"]


def test_every_url_of_redis_is_reached_by_our_transport_and_shown_as_it_is(ask: Callable[..., Any]) -> None:
    program = """
import json
from workers.app import app
urls = "redis://:hunter2@ours:1/0", "rediss://:hunter2@ours:1/0?ssl_cert_reqs=required", "memory://"
found = [one for url in urls for known in (app.connection_for_write(url),) for one in (known, known.clone())]
print(json.dumps([[one.get_transport_cls().__module__, one.as_uri(), bool(one.ssl)] for one in found]))
"""
    shown = ask(program, environment={"SMSGATE_REDIS_URL": "redis://ours:1/0"})
    assert [one[0] for one in shown] == ["workers.transport"] * 4 + ["kombu.transport.memory"] * 2
    assert [one[1].split("://")[0] for one in shown[:4]] == ["redis", "redis", "rediss", "rediss"]
    assert [one[2] for one in shown[:4]] == [False, False, True, True]
    assert "hunter2" not in repr(shown)


def test_a_worker_tries_for_ever_to_reach_its_broker(ask: Callable[..., Any]) -> None:
    program = """
import json
from workers.app import app
print(json.dumps([app.conf[name] for name in ("broker_connection_max_retries", "broker_channel_error_retry",
                                              "broker_connection_retry_on_startup", "worker_consumer")]))
"""
    assert ask(program) == [None, True, True, "workers.consumer:Consumer"]


OWN_BROKER = {
    "SMSGATE_REDIS_URL": "redis://ours:1/0",
    "SMSGATE_BROKER_URL": "amqp://user:hunter2%2F@rabbit:5672/sms",
    "SMSGATE_BROKER_OPTIONS": '{"login_method": "PLAIN", "client_properties": {"password": "hunter3"}}',
}


def test_with_a_broker_of_its_own_celery_uses_that_one_and_shows_nothing_of_it(ask: Callable[..., Any]) -> None:
    program = """
import json
from workers.app import app
connections = app.connection_for_read(), app.connection_for_write(), app.connection()
print(json.dumps([[one.as_uri(include_password=True) for one in connections],
                  [one.transport_options for one in connections],
                  [app.conf.humanize(), str(app.conf.table()), app.bugreport(), connections[0].as_uri()],
                  sorted(app.conf.beat_schedule)]))
"""
    urls, options, shown, beat = ask(program, environment=OWN_BROKER)
    assert urls == ["amqp://user:hunter2%2F@rabbit:5672/sms"] * 3
    assert [one["confirm_publish"] for one in options] == [True] * 3
    assert [one["client_properties"] for one in options] == [{"password": "hunter3"}] * 3
    assert "hunter" not in repr(shown)
    assert "hand on" in beat


def test_without_one_nothing_is_handed_on(ask: Callable[..., Any]) -> None:
    program = """
import json, sys
from workers.app import app
app.loader.import_default_modules()
loaded = [name for name in sys.modules if name in ("workers.handing_on", "smsgate.broker.publisher")]
print(json.dumps(["hand on" in app.conf.beat_schedule, loaded]))
"""
    assert ask(program, environment={"SMSGATE_REDIS_URL": "redis://ours:1/0"}) == [False, []]
