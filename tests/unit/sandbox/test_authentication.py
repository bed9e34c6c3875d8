"""Key, clock and nonce are refused in the provider's words."""

import pytest

from smsgate.sandbox.answers import Rejection
from smsgate.sandbox.authentication import Authenticator, require_current
from smsgate.sandbox.nonces import Nonces
from smsgate.sandbox.wire import Call
from tests.unit.sandbox.signer import KEY_ID, NOW, SECRET, acs3_call, acs3_headers, call, rpc_parameters


def refused(gate: Authenticator, made: Call) -> tuple[int, str]:
    with pytest.raises(Rejection) as refusal:
        gate.verify(made)
    return refusal.value.status, refusal.value.code


def gate(now: float = NOW) -> Authenticator:
    return Authenticator(KEY_ID, SECRET, Nonces(), lambda: now)


def test_an_unknown_key_is_not_found() -> None:
    other = Authenticator("another", SECRET, Nonces(), lambda: NOW)
    assert refused(other, acs3_call({})) == (404, "InvalidAccessKeyId.NotFound")
    assert refused(other, call(rpc_parameters("POST", {}), {})) == (404, "InvalidAccessKeyId.NotFound")


def test_another_secret_does_not_match() -> None:
    other = Authenticator(KEY_ID, "another", Nonces(), lambda: NOW)
    assert refused(other, acs3_call({})) == (400, "SignatureDoesNotMatch")
    assert refused(other, call(rpc_parameters("POST", {}), {})) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize("ahead", [901.0, -901.0])
def test_a_clock_that_is_a_quarter_of_an_hour_off_is_expired(ahead: float) -> None:
    assert refused(gate(NOW + ahead), acs3_call({})) == (400, "InvalidTimeStamp.Expired")


@pytest.mark.parametrize("ahead", [899.0, -899.0])
def test_a_clock_within_a_quarter_of_an_hour_passes(ahead: float) -> None:
    gate(NOW + ahead).verify(acs3_call({}))


@pytest.mark.parametrize("date", ["", "yesterday", "2026-09-21", "2026-09-21T14:13:20", "20260921T141320+08:00"])
def test_a_date_of_another_form_is_malformed(date: str) -> None:
    with pytest.raises(Rejection, match=r"InvalidTimeStamp\.Format"):
        require_current(date, NOW)


def test_a_date_with_milliseconds_passes() -> None:
    require_current("2026-09-21T14:13:20.123Z", NOW)


def test_a_nonce_works_once() -> None:
    at_the_gate = gate()
    at_the_gate.verify(acs3_call({}))
    assert refused(at_the_gate, acs3_call({"OutId": "another message"})) == (400, "SignatureNonceUsed")


def test_a_forged_request_does_not_use_a_nonce_up() -> None:
    at_the_gate = gate()
    forged = call({"A": "2"}, acs3_headers({"A": "1"}))
    assert refused(at_the_gate, forged) == (400, "SignatureDoesNotMatch")
    at_the_gate.verify(acs3_call({"A": "1"}))


@pytest.mark.parametrize("name", ["AccessKeyId", "Signature", "SignatureNonce", "Timestamp"])
def test_an_rpc_request_without_a_common_parameter_is_told_which(name: str) -> None:
    parameters = rpc_parameters("POST", {})
    del parameters[name]
    assert refused(gate(), call(parameters, {})) == (400, f"Missing{name}")


def test_a_request_without_any_signature_is_told_so() -> None:
    assert refused(gate(), call({}, {})) == (400, "MissingAccessKeyId")


@pytest.mark.parametrize("value", ["Basic dGVzdA==", "ACS3-HMAC-SHA256 Credential=testid", "ACS3-HMAC-SM3 x", ""])
def test_an_authorization_of_another_form_is_incomplete(value: str) -> None:
    assert refused(gate(), call({}, {"Authorization": value})) == (400, "IncompleteSignature")


def test_an_rpc_request_by_another_method_or_in_another_format_is_refused() -> None:
    other = call(rpc_parameters("POST", {"SignatureMethod": "HMAC-MD5"}), {})
    assert refused(gate(), other) == (400, "InvalidSignatureMethod")
    assert refused(gate(), call(rpc_parameters("POST", {"Format": "XML"}), {})) == (400, "InvalidParameter.Format")


def test_nonces_are_forgotten_when_they_can_no_longer_be_replayed() -> None:
    nonces = Nonces(lifetime=10)
    assert nonces.use("a", 0)
    assert not nonces.use("a", 9.9)
    assert nonces.use("a", 10)


def test_no_more_nonces_are_kept_than_there_is_room_for() -> None:
    nonces = Nonces(capacity=100)
    assert all(nonces.use(str(number), 0) for number in range(1000))
    assert len(nonces) == 100
    assert not nonces.use("999", 0)
