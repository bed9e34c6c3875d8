"""Every channel against the sandbox: bad days, keys that are none, and asking for what may have been sent."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from smsgate.channels.channel import Channel, Inquiry
from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.sandbox.process import SandboxProcess
from smsgate.trace import Known, NoAnswer, Trace
from tests.integration.channels.contract import CODE, Provider

Judge = Callable[[Outcome], bool]


@pytest.fixture
def channel(provider: Provider, sandbox: SandboxProcess) -> Channel:
    return provider.channel(sandbox.endpoint, read_timeout_ms=500)


def unsent_by(fault: Fault) -> Judge:
    return lambda outcome: isinstance(outcome, Unsent) and outcome.fault is fault


def refused_by(fault: Fault) -> Judge:
    return lambda outcome: isinstance(outcome, Refused) and outcome.fault is fault


def uncertain(outcome: Outcome) -> bool:
    return isinstance(outcome, Uncertain)


def test_the_phone_has_the_message_with_its_code(channel: Channel, sandbox: SandboxProcess, provider: Provider) -> None:
    outcome = channel.send(provider.submission())

    [message] = sandbox.messages(out_id="m-1")
    assert outcome == Sent(message["biz_id"])
    assert CODE in message["text"]
    assert message["service"] == provider.name


@pytest.mark.parametrize(
    ("fault", "expected", "received"),
    [
        ({"kind": "throttle"}, unsent_by(Fault.THROTTLED), 0),
        ({"kind": "business_error", "code": "isv.BUSINESS_LIMIT_CONTROL"}, unsent_by(Fault.RECIPIENT), 0),
        ({"kind": "business_error", "code": "isv.OUT_OF_SERVICE"}, refused_by(Fault.ACCOUNT), 0),
        ({"kind": "business_error", "code": "isv.AMOUNT_NOT_ENOUGH"}, refused_by(Fault.ACCOUNT), 0),
        ({"kind": "business_error", "code": "isp.RAM_PERMISSION_DENY"}, refused_by(Fault.CREDENTIALS), 0),
        ({"kind": "business_error", "code": "isv.SMS_TEMPLATE_ILLEGAL"}, refused_by(Fault.CONFIGURATION), 0),
        ({"kind": "business_error", "code": "isv.SMS_SIGNATURE_ILLEGAL"}, refused_by(Fault.CONFIGURATION), 0),
        ({"kind": "business_error", "code": "isv.BLACK_KEY_CONTROL_LIMIT"}, refused_by(Fault.MESSAGE), 0),
        ({"kind": "business_error", "code": "isp.SYSTEM_ERROR"}, uncertain, 0),
        ({"kind": "unavailable"}, uncertain, 0),
        ({"kind": "unavailable", "accepted": True}, uncertain, 1),
        ({"kind": "html", "status": 504, "accepted": True}, uncertain, 1),
        ({"kind": "reset"}, uncertain, 0),
        ({"kind": "reset", "accepted": True}, uncertain, 1),
        ({"kind": "hang", "seconds": 3, "accepted": True}, uncertain, 1),
        ({"kind": "outage", "seconds": 5}, uncertain, 0),
    ],
)
def test_on_a_bad_day_what_may_have_been_sent_is_uncertain_and_nothing_else_is(
    fault: dict[str, Any],
    expected: Judge,
    received: int,
    channel: Channel,
    sandbox: SandboxProcess,
    provider: Provider,
) -> None:
    sandbox.fault(**fault)

    outcome = channel.send(provider.submission())

    assert expected(outcome), outcome
    assert len(sandbox.messages(out_id="m-1")) == received


@pytest.mark.parametrize("which", [0, 1])
def test_a_wrong_key_is_refused(
    which: int, channel: Channel, provider: Provider, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = dict(zip(provider.key_options, ("WRONG_ID", "WRONG_SECRET"), strict=True))
    key = ["testid", "testsecret"]
    key[which] = "wrong"
    monkeypatch.setenv("WRONG_ID", key[0])
    monkeypatch.setenv("WRONG_SECRET", key[1])

    outcome = provider.channel(sandbox.endpoint, **names).send(provider.submission())

    assert refused_by(Fault.CREDENTIALS)(outcome), outcome


def test_a_template_that_wants_other_variables_refuses_those_of_the_message(
    channel: Channel, provider: Provider, sandbox: SandboxProcess
) -> None:
    submission = provider.submission()
    bare = type(submission)(submission.id, submission.phone, submission.sign, submission.template, {})

    assert refused_by(Fault.VARIABLES)(channel.send(bare))


def test_a_message_that_may_have_been_sent_is_found_when_it_was(
    channel: Channel, provider: Provider, sandbox: SandboxProcess
) -> None:
    sandbox.fault(kind="hang", seconds=3, accepted=True, count=1)
    assert uncertain(channel.send(provider.submission()))

    trace = _found(channel, provider, lambda trace: isinstance(trace, Known))

    assert isinstance(trace, Known)
    assert trace.receipt is None or trace.receipt.message_id == "m-1"


def test_a_question_on_a_bad_day_has_no_answer(channel: Channel, provider: Provider, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="outage", seconds=5)

    assert isinstance(_ask(channel, provider), NoAnswer)


def _found(channel: Channel, provider: Provider, wanted: Callable[[Trace], bool]) -> Trace:
    until = time.monotonic() + 5
    while not wanted(trace := _ask(channel, provider)) and time.monotonic() < until:
        time.sleep(0.05)
    return trace


def _ask(channel: Channel, provider: Provider) -> Trace:
    now = int(time.time() * 1000)
    submission = provider.submission()
    return channel.find(Inquiry(submission.id, submission.phone, now - 10_000, now))
