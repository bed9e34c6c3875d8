"""Who calls, and is it now: secret id, clock and TC3-HMAC-SHA256, refused in the provider's own words.

Source: cloud.tencent.com/document/api/382/52072 (signature v3).
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from smsgate.sandbox.signatures import octets
from smsgate.sandbox.tencent.answers import CallError, missing
from smsgate.sandbox.tencent.wire import Call

ALGORITHM: Final = "TC3-HMAC-SHA256"
SERVICE: Final = "sms"
CLOCK_SKEW: Final = 300
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_AUTHORIZATION: Final = re.compile(
    ALGORITHM + r" +Credential=([^,\s/]+)/(\d{4}-\d{2}-\d{2})/([a-z]+)/tc3_request, *"
    r"SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})"
)
_ALWAYS_SIGNED: Final = ("content-type", "host")


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Knows one key."""

    secret_id: str
    secret_key: str
    clock: Callable[[], float]

    def verify(self, call: Call) -> None:
        """Let the call pass.

        Raises:
            CallError: Unknown secret id, wrong signature, or a clock that is off.
        """
        found = _AUTHORIZATION.fullmatch(call.headers.get("Authorization", "").strip())
        if found is None:
            raise CallError("AuthFailure.InvalidAuthorization", "The Authorization header is not as it should be.")
        secret_id, date, service, listed, signature = found.groups()
        if not hmac.compare_digest(octets(secret_id), self.secret_id.encode()):
            raise CallError(
                "AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that it is correct."
            )
        timestamp = self._timestamp(call)
        names = listed.split(";")
        if date != f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d}" or service != SERVICE:
            raise _mismatch()
        if not all(name in names and call.headers.get(name) for name in _ALWAYS_SIGNED):
            raise _mismatch()
        if not hmac.compare_digest(sign(self.secret_key, call, timestamp, names), signature):
            raise _mismatch()

    def _timestamp(self, call: Call) -> int:
        written = call.headers.get("X-TC-Timestamp", "")
        if not re.fullmatch(r"[0-9]{1,12}", written, re.ASCII):
            raise missing("Timestamp")
        if abs(self.clock() - int(written)) > CLOCK_SKEW:
            raise CallError("AuthFailure.SignatureExpire", "The provided credentials have expired: the clock is off.")
        return int(written)


def sign(secret_key: str, call: Call, timestamp: int, names: Sequence[str]) -> str:
    """Sign a call by TC3-HMAC-SHA256: its method, path and query, the named headers, and the body's digest."""
    unsigned = call.headers.get("X-TC-Content-SHA256") == UNSIGNED
    digest = hashlib.sha256(UNSIGNED.encode() if unsigned else call.body).hexdigest()
    lines = "".join(f"{name}:{call.headers.get(name, '').strip().lower()}\n" for name in names)
    canonical = f"{call.method}\n{call.path}\n{call.query}\n{lines}\n{';'.join(names)}\n{digest}"
    date = f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d}"
    scope = f"{date}/{SERVICE}/tc3_request"
    to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(octets(canonical)).hexdigest()}"
    key = f"TC3{secret_key}".encode()
    for part in (date, SERVICE, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _mismatch() -> CallError:
    return CallError(
        "AuthFailure.SignatureFailure",
        "The provided credentials could not be validated. Please check your signature is correct.",
    )
