"""TC3-HMAC-SHA256 as the real SDK makes it is taken; tampered with in any way it is not."""

import time
from collections.abc import Callable

import pytest
from tencentcloud.sms.v20210111.sms_client import SmsClient

from smsgate.sandbox.process import SandboxProcess
from tests.integration.sandbox import tencent
from tests.integration.sandbox.tencent import Held, code_of, sending

MISMATCH = "AuthFailure.SignatureFailure"


@pytest.fixture
def sms(sandbox: SandboxProcess) -> SmsClient:
    return tencent.client(sandbox.endpoint)


@pytest.fixture
def held(sms: SmsClient, sandbox: SandboxProcess) -> Held:
    return Held.of(sms, sandbox.endpoint)


def test_a_request_as_it_was_signed_is_taken(held: Held, sandbox: SandboxProcess) -> None:
    assert held.send() == "no error"
    assert len(sandbox.messages()) == 1


def _swap(name: str, old: str, new: str) -> Callable[[Held], None]:
    def swap(held: Held) -> None:
        assert old in held.headers[name]
        held.headers[name] = held.headers[name].replace(old, new)

    return swap


def _body(held: Held) -> None:
    held.body = held.body.replace(b"123456", b"654321")


def _clock(held: Held) -> None:
    held.headers["X-TC-Timestamp"] = str(int(held.headers["X-TC-Timestamp"]) - 1)


def _unsigned_payload(held: Held) -> None:
    held.headers["X-TC-Content-SHA256"] = "UNSIGNED-PAYLOAD"


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (_body, MISMATCH),
        (_clock, MISMATCH),
        (_unsigned_payload, MISMATCH),
        (_swap("Content-Type", "json", "jsom"), MISMATCH),
        (_swap("Host", "127.0.0.1", "localhost"), MISMATCH),
        (_swap("Authorization", "/sms/", "/cvm/"), MISMATCH),
        (_swap("Authorization", "Credential=testid/20", "Credential=testid/19"), MISMATCH),
        (_swap("Authorization", "content-type;host", "host"), MISMATCH),
        (_swap("Authorization", "testid", "other"), "AuthFailure.SecretIdNotFound"),
        (_swap("Authorization", "TC3-", "TC4-"), "AuthFailure.InvalidAuthorization"),
        (_swap("Authorization", "Signature=", "Signature=00"), "AuthFailure.InvalidAuthorization"),
        (lambda held: held.headers.pop("Authorization"), "AuthFailure.InvalidAuthorization"),
        (lambda held: held.headers.pop("X-TC-Timestamp"), "MissingParameter"),
        (_swap("X-TC-Version", "2021", "2019"), "NoSuchVersion"),
        (_swap("X-TC-Action", "SendSms", "SendMms"), "InvalidAction"),
    ],
)
def test_a_request_that_was_tampered_with_is_refused(
    tamper: Callable[[Held], object], code: str, held: Held, sandbox: SandboxProcess
) -> None:
    tamper(held)

    assert held.send() == code
    assert sandbox.messages() == []


@pytest.mark.parametrize(("method", "path"), [("PUT", "/"), ("POST", "/?x=1")])
def test_method_and_query_are_signed(method: str, path: str, held: Held) -> None:
    assert held.send(method, path) == MISMATCH


@pytest.mark.parametrize("seconds", [-301, 302])
def test_a_clock_that_is_five_minutes_off_is_refused(
    seconds: int, sms: SmsClient, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr("tencentcloud.common.abstract_client.time.time", lambda: now + seconds)

    held = Held.of(sms, sandbox.endpoint)
    monkeypatch.undo()

    assert held.send() == "AuthFailure.SignatureExpire"


def test_a_wrong_secret_and_an_unknown_key_are_told_apart(sandbox: SandboxProcess) -> None:
    wrong = tencent.client(sandbox.endpoint, secret_key="wrong")
    unknown = tencent.client(sandbox.endpoint, secret_id="unknown")

    assert code_of(lambda: wrong.SendSms(sending())) == MISMATCH
    assert code_of(lambda: unknown.SendSms(sending())) == "AuthFailure.SecretIdNotFound"


def test_a_payload_may_be_left_unsigned_where_the_sdk_says_so(sms: SmsClient, sandbox: SandboxProcess) -> None:
    sms.profile.unsignedPayload = True

    assert sms.SendSms(sending()).SendStatusSet[0].Code == "Ok"
