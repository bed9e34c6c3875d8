"""Whatever an SDK may sign verifies, and nothing that was changed on the way does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgate.sandbox.answers import Rejection
from smsgate.sandbox.authentication import Authenticator
from smsgate.sandbox.nonces import Nonces
from tests.unit.sandbox.signer import KEY_ID, NOW, SECRET, acs3_call, acs3_headers, call, form, rpc_parameters

# Whatever UTF-8 can write; a header holds no control characters and no blanks at its ends.
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
QUERY = st.dictionaries(NAME, TEXT, max_size=8)
HEADER = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
EXTRA = st.dictionaries(st.from_regex(r"\Ax_acs_x[a-z]{0,8}\Z"), HEADER, max_size=3)


def gate() -> Authenticator:
    return Authenticator(KEY_ID, SECRET, Nonces(), lambda: NOW)


@given(QUERY, st.binary(max_size=60), EXTRA)
def test_every_acs3_request_that_is_signed_rightly_passes(
    query: dict[str, str], body: bytes, extra: dict[str, str]
) -> None:
    gate().verify(acs3_call(query, body, **extra))


@given(QUERY)
def test_every_rpc_request_that_is_signed_rightly_passes_by_get_and_by_post(query: dict[str, str]) -> None:
    query = {f"P{name}": value for name, value in query.items()}
    gate().verify(call(rpc_parameters("GET", query), {}, method="GET"))
    in_form = "&".join(f"{form(name)}={form(value)}" for name, value in rpc_parameters("POST", query).items())
    gate().verify(call({}, {"Content-Type": "application/x-www-form-urlencoded"}, in_form.encode()))


@given(QUERY, NAME, TEXT)
def test_no_query_parameter_can_be_added_or_changed(query: dict[str, str], name: str, value: str) -> None:
    changed = {**query, name: value}
    if changed == query:
        changed[name] = value + "x"
    tampered = call(changed, acs3_headers(query))
    assert refused(tampered) == "SignatureDoesNotMatch"


@given(QUERY, st.binary(max_size=30), st.binary(max_size=30))
def test_no_body_can_be_changed(query: dict[str, str], body: bytes, other: bytes) -> None:
    tampered = call(query, acs3_headers(query, body), other if other != body else other + b"x")
    assert refused(tampered) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("name", ["host", "x-acs-action", "x-acs-date", "x-acs-version", "x-acs-signature-nonce"])
def test_no_signed_header_can_be_changed(name: str) -> None:
    headers = acs3_headers({"A": "1"})
    headers[name] += "0"
    assert refused(call({"A": "1"}, headers)) == "SignatureDoesNotMatch"


def test_the_method_cannot_be_changed() -> None:
    assert refused(call({"A": "1"}, acs3_headers({"A": "1"}), method="PUT")) == "SignatureDoesNotMatch"


def test_a_header_that_was_put_in_without_a_signature_is_refused() -> None:
    headers = {**acs3_headers({}), "x-acs-security-token": "stolen"}
    assert refused(call({}, headers)) == "IncompleteSignature"


def test_a_digest_that_was_changed_with_its_body_is_refused() -> None:
    headers = acs3_headers({}, b"one")
    headers["x-acs-content-sha256"] = acs3_headers({}, b"two")["x-acs-content-sha256"]
    assert refused(call({}, headers, b"two")) == "SignatureDoesNotMatch"


@given(QUERY, NAME, TEXT)
def test_no_rpc_parameter_can_be_added_or_changed(query: dict[str, str], name: str, value: str) -> None:
    parameters = rpc_parameters("GET", {f"P{each}": text for each, text in query.items()})
    changed = {**parameters, f"P{name}": value}
    if changed == parameters:
        changed[f"P{name}"] = value + "x"
    assert refused(call(changed, {}, method="GET")) == "SignatureDoesNotMatch"


def test_an_rpc_request_that_was_signed_for_get_is_refused_by_post() -> None:
    assert refused(call(rpc_parameters("GET", {}), {}, method="POST")) == "SignatureDoesNotMatch"


def test_a_header_of_bytes_that_are_no_text_is_refused_and_breaks_nothing() -> None:
    headers = {**acs3_headers({}), "x-acs-date": "2026-09-21T14:13:20Z\udcff"}
    assert refused(call({}, headers)) == "SignatureDoesNotMatch"


def refused(tampered: object) -> str:
    with pytest.raises(Rejection) as refusal:
        gate().verify(tampered)  # type: ignore[arg-type]
    return refusal.value.code
