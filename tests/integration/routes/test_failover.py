"""A message goes by another provider where the first did not take it: real workers, real SDK, two real providers."""

from smsgate.message import Lane
from tests.integration.nodes.gateway import TEMPLATE, fresh_phone
from tests.integration.nodes.until import until
from tests.integration.routes.conftest import Routed


def test_a_code_goes_by_the_backup_when_the_main_provider_throttles(routed: Routed) -> None:
    routed.main.fault(kind="throttle")
    try:
        known = routed.gateway.until_state(one := routed.gateway.send(), "delivered")
    finally:
        routed.main.clear_faults()
    assert (known["channel"], known["attempts"]) == ("backup", 1)
    assert [event.get("after") for event in known["timeline"] if event["state"] == "sending"] == [
        None,
        "Throttling.User",
    ]
    assert (len(routed.main.messages(out_id=one)), len(routed.backup.messages(out_id=one))) == (0, 1)


def test_what_may_have_been_sent_is_asked_about_where_it_was_sent(routed: Routed) -> None:
    routed.main.fault(kind="hang", count=1)
    known = routed.gateway.until_state(one := routed.gateway.send(), "delivered", within=30)
    assert known["channel"] == "main" or len(routed.main.messages(out_id=one)) == 0
    assert len(routed.main.messages(out_id=one)) + len(routed.backup.messages(out_id=one)) == 1


def test_messages_that_leave_together_go_by_the_backup_too(routed: Routed) -> None:
    routed.main.fault(kind="business_error", code="isv.SMS_SIGNATURE_ILLEGAL")
    try:
        ids = [
            routed.gateway.send(fresh_phone(), template=TEMPLATE, lane=Lane.NOTICE, params={"code": "135790"})
            for _ in range(5)
        ]
        ended = [routed.gateway.until_state(one, "delivered") for one in ids]
    finally:
        routed.main.clear_faults()
    assert {known["channel"] for known in ended} == {"backup"}


def test_who_asks_again_for_a_code_gets_it_by_another_channel(routed: Routed) -> None:
    phone = fresh_phone()
    channels = [routed.gateway.until_state(routed.gateway.send(phone), "delivered")["channel"] for _ in range(2)]
    assert channels == ["main", "backup"]


def test_a_changed_file_is_obeyed_without_a_restart(routed: Routed) -> None:
    routed.declare('[[routes]]\nchannels = ["main"]')  # never comes to be: the rule before it takes all
    until(lambda: routed.gateway.send() and "config_refused" in routed.worker_log(), "the slip was told of")
    routed.file.write_text(
        routed.file.read_text(encoding="utf-8")
        .replace('channels = ["main", "backup"]', 'channels = ["backup"]')
        .replace('[[routes]]\nchannels = ["main"]', ""),
        encoding="utf-8",
    )
    until(
        lambda: routed.gateway.until_state(routed.gateway.send(), "delivered")["channel"] == "backup",
        "codes go by the backup",
    )
    routed.declare()
