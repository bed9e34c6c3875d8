"""What a call says of its channel."""

import pytest

from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.routing.verdict import FAILURES, HOPELESS, Verdict, reason_of, verdict_of
from smsgate.trace import Known, NoAnswer, Trace, Unknown


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (Sent("1"), Verdict.OK),
        (Known(None), Verdict.OK),
        (Unknown(), Verdict.OK),
        (Unsent("connect", Fault.PROVIDER), Verdict.FAILED),
        (NoAnswer("timeout", Fault.PROVIDER), Verdict.FAILED),
        (Uncertain("reset"), Verdict.UNCERTAIN),
        (Unsent("Throttling", Fault.THROTTLED), Verdict.THROTTLED),
        (Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT), Verdict.REFUSED),
        (Refused("isv.MOBILE_NUMBER_ILLEGAL", Fault.MESSAGE), Verdict.REFUSED),
        (Refused("isv.SMS_TEMPLATE_ILLEGAL", Fault.CONFIGURATION), Verdict.REFUSED),
        (Refused("isv.AMOUNT_NOT_ENOUGH", Fault.ACCOUNT), Verdict.ACCOUNT),
        (Refused("SignatureDoesNotMatch", Fault.CREDENTIALS), Verdict.CREDENTIALS),
    ],
)
def test_each_end_of_a_call_has_its_verdict(result: Outcome | Trace, verdict: Verdict) -> None:
    assert verdict_of(result) is verdict


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_is_judged(fault: Fault) -> None:
    verdict = verdict_of(Unsent("x", fault))
    assert (verdict in FAILURES) == (fault is Fault.PROVIDER)
    assert (verdict in HOPELESS) == (fault in (Fault.ACCOUNT, Fault.CREDENTIALS))


def test_what_went_well_has_no_reason() -> None:
    assert [reason_of(Sent("1")), reason_of(Unknown()), reason_of(Uncertain("reset"))] == ["", "", "reset"]
