"""The channel, the real SDK and real sockets, while all goes well: what is on the wire."""

from collections.abc import Callable
from typing import Any

from smsgate.channels.channel import Channel, Submission
from smsgate.outcome import Sent


def test_an_accepted_message_is_sent_under_the_providers_id(channel: Channel, submission: Submission) -> None:
    assert channel.send(submission) == Sent("biz-m-1")


def test_the_message_is_on_the_wire_as_the_provider_wants_it(
    channel: Channel, scene: Any, submission: Submission
) -> None:
    channel.send(submission)

    [asked] = scene.asked
    assert asked.query == {
        "OutId": "m-1",
        "PhoneNumbers": "13900000001",
        "SignName": "阿里云",
        "TemplateCode": "SMS_154950909",
        "TemplateParam": '{"code":"918273"}',
    }
    assert asked.headers["x-acs-action"] == "SendSms"
    assert asked.headers["x-acs-version"] == "2017-05-25"
    assert asked.headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=testid,")


def test_a_number_abroad_goes_out_with_its_country_code_and_no_plus(
    channel: Channel, scene: Any, submitting: Callable[..., Submission]
) -> None:
    channel.send(submitting("m-1", to="+85261234567"))

    assert scene.asked[0].query["PhoneNumbers"] == "85261234567"


def test_chinese_params_stay_readable_and_none_are_left_out(
    channel: Channel, scene: Any, submission: Submission
) -> None:
    of = (submission.id, submission.phone, submission.sign, submission.template)
    channel.send(Submission(*of, {"name": "张三 & co"}))
    channel.send(Submission(*of, {}))

    assert scene.asked[0].query["TemplateParam"] == '{"name":"张三 & co"}'
    assert "TemplateParam" not in scene.asked[1].query
