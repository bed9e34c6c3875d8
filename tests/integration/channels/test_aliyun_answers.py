"""The channel, the real SDK and real sockets: what each answer means that is no acceptance."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from smsgate.channels.channel import Channel, Submission
from smsgate.outcome import Fault, Outcome, Refused, Uncertain, Unsent


def answering(scene: Any, *reply: Any, **more: Any) -> None:
    scene.answer = lambda exchange, _: exchange.reply(*reply, **more)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>bad gateway</html>",
        b"",
        b"null",
        b"[]",
        b'["OK"]',
        b'"OK"',
        b"{}",
        b'{"Code": 7}',
        b"\xff\xfe",
        b'{"Code": ""}',
    ],
)
def test_an_answer_that_is_not_the_providers_leaves_the_message_uncertain(
    body: bytes, channel: Channel, scene: Any, submission: Submission
) -> None:
    answering(scene, body)

    assert channel.send(submission) == Uncertain("unparsable_answer")


@pytest.mark.parametrize("answer", [{"Code": "OK"}, {"Code": "OK", "BizId": ""}, {"Code": "OK", "BizId": {"a": 1}}])
def test_an_acceptance_without_an_id_leaves_the_message_uncertain(
    answer: object, channel: Channel, scene: Any, submission: Submission
) -> None:
    answering(scene, answer)

    assert channel.send(submission) == Uncertain("answer_without_id")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("headers", [{}, {"x-acs-retry-after": "1500"}])
def test_a_server_error_leaves_the_message_uncertain(
    status: int, headers: dict[str, str], channel: Channel, scene: Any, submission: Submission
) -> None:
    answering(scene, {"Code": "InternalError", "Message": "to 13900000001"}, status=status, headers=headers)

    assert channel.send(submission) == Uncertain("server_error")


def test_a_server_error_in_html_leaves_the_message_uncertain(
    channel: Channel, scene: Any, submission: Submission
) -> None:
    answering(scene, b"<html>504 Gateway Time-out</html>", status=504)

    assert channel.send(submission) == Uncertain("unparsable_answer")


RETRY_AFTER = "x-acs-retry-after"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ((400, "Throttling.User", {}), Unsent("Throttling.User", Fault.THROTTLED)),
        ((400, "Throttling.User", {RETRY_AFTER: "1500"}), Unsent("Throttling.User", Fault.THROTTLED, 1.5)),
        ((503, "Throttling.Api", {RETRY_AFTER: "200"}), Unsent("Throttling.Api", Fault.THROTTLED, 0.2)),
        ((429, "TooFast", {RETRY_AFTER: "1000"}), Unsent("throttled", Fault.THROTTLED, 1.0)),
        ((429, None, {}), Unsent("throttled", Fault.THROTTLED)),
        ((400, "SignatureDoesNotMatch", {}), Refused("SignatureDoesNotMatch", Fault.CREDENTIALS)),
        ((404, "InvalidAccessKeyId.NotFound", {}), Refused("InvalidAccessKeyId.NotFound", Fault.CREDENTIALS)),
        ((400, "SignatureNonceUsed", {}), Uncertain("SignatureNonceUsed")),
        ((400, "MissingPhoneNumbers", {}), Refused("MissingPhoneNumbers", Fault.MESSAGE)),
        ((403, None, {}), Uncertain("unparsable_answer")),
        ((404, "Nobody.Knows", {}), Refused("Nobody.Knows", Fault.UNKNOWN)),
    ],
)
def test_a_refusal_of_the_gateway_is_read_by_its_code(
    reply: tuple[int, str | None, dict[str, str]],
    outcome: Outcome,
    channel: Channel,
    scene: Any,
    submission: Submission,
) -> None:
    status, code, headers = reply
    answering(scene, {"Code": code, "Message": "m", "RequestId": "r"}, status=status, headers=headers)

    assert channel.send(submission) == outcome


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("触发小时级流控Permits:5", Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT, 3600)),
        ("账户余额不足", Refused("isv.AMOUNT_NOT_ENOUGH", Fault.ACCOUNT)),
        ("模版不合法", Refused("isv.SMS_TEMPLATE_ILLEGAL", Fault.CONFIGURATION)),
        ("系统错误", Uncertain("isp.SYSTEM_ERROR")),
    ],
)
def test_a_refusal_in_a_good_answer_is_read_by_its_code(
    message: str, outcome: Any, channel: Channel, scene: Any, submission: Submission
) -> None:
    answering(scene, {"Code": outcome.reason, "Message": message, "RequestId": "r"})

    assert channel.send(submission) == outcome


def test_a_redirect_is_not_followed(channel: Channel, scene: Any, wire: Any, submission: Submission) -> None:
    answering(scene, b"", status=307, headers={"Location": f"http://{wire.endpoint}/elsewhere"})

    assert channel.send(submission) == Uncertain("unparsable_answer")
    assert len(scene.asked) == 1


def test_the_channel_asks_once_whatever_goes_wrong(channel: Channel, scene: Any, submission: Submission) -> None:
    answering(scene, {"Code": "ServiceUnavailable"}, status=503)

    channel.send(submission)

    assert len(scene.asked) == 1


def test_an_answer_that_nobody_foresaw_is_logged_by_its_kind_alone(
    channel: Channel, scene: Any, submission: Submission
) -> None:
    answering(scene, {"Code": "isv.NEVER_HEARD_OF", "Message": "13900000001 918273"})

    with capture_logs() as logs:
        channel.send(submission)

    assert [log["event"] for log in logs] == ["provider_code_unknown"]
    assert "13900000001" not in repr(logs)
