"""Who calls, and is it now: key, signature, clock and nonce, refused in the provider's own words."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smsgate.sandbox import signatures
from smsgate.sandbox.answers import Rejection, missing
from smsgate.sandbox.nonces import Nonces
from smsgate.sandbox.signatures import octets
from smsgate.sandbox.wire import Call

CLOCK_SKEW: Final = 900.0
_AUTHORIZATION: Final = re.compile(
    r"ACS3-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([a-z0-9;_-]+), *Signature=([0-9a-f]+)"
)
# What must be under the signature; a stray `x-acs-` header that is not could have been put in on the way.
_ALWAYS_SIGNED: Final = ("host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-version")


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Knows one access key."""

    access_key_id: str
    access_key_secret: str
    nonces: Nonces
    clock: Callable[[], float]

    def verify(self, call: Call) -> None:
        """Let the call pass.

        Raises:
            Rejection: Unknown key, wrong signature, a clock that is off, or a nonce that came before.
        """
        authorization = call.headers.get("Authorization")
        if authorization is not None:
            self._verify_acs3(call, authorization)
            date, nonce = call.headers["x-acs-date"], call.headers["x-acs-signature-nonce"]
        else:
            self._verify_rpc(call)
            date, nonce = call.params["Timestamp"], call.params["SignatureNonce"]
        # Clock and nonce come last: only a genuine request may use a nonce up.
        now = self.clock()
        require_current(date, now)
        if not self.nonces.use(nonce, now):
            raise Rejection(400, "SignatureNonceUsed", "Specified signature nonce was used already.")

    def _verify_acs3(self, call: Call, authorization: str) -> None:
        found = _AUTHORIZATION.fullmatch(authorization.strip())
        if found is None:
            raise _incomplete()
        key_id, listed, signature = found.groups()
        self._require_key(key_id)
        names = listed.split(";")
        _require_signed(call, names)
        digest = _digest(call)
        line = (call.method, call.path, call.query)
        expected = signatures.acs3(self.access_key_secret, line, call.headers, names, digest)
        if not hmac.compare_digest(expected.signature, signature):
            raise _mismatch(
                f"Specified signature does not match our calculation. server StringToSign is "
                f"[{expected.string_to_sign}] server CanonicalRequest is [{expected.canonical_request}]"
            )

    def _verify_rpc(self, call: Call) -> None:
        parameters = {**dict(call.query), **dict(call.form)}
        for name in ("AccessKeyId", "Signature", "SignatureNonce", "Timestamp"):
            if not parameters.get(name):
                raise missing(name)
        if parameters.get("SignatureMethod", "HMAC-SHA1") != "HMAC-SHA1":
            raise Rejection(400, "InvalidSignatureMethod", "Specified signature method is not valid.")
        if parameters.get("Format", "JSON").upper() != "JSON":
            raise Rejection(400, "InvalidParameter.Format", "The sandbox answers in JSON only: set Format=JSON.")
        self._require_key(parameters["AccessKeyId"])
        expected = signatures.rpc(self.access_key_secret, call.method, parameters)
        if not hmac.compare_digest(expected.signature.encode(), octets(parameters["Signature"])):
            raise _mismatch(
                "Specified signature is not matched with our calculation. server string to sign is:"
                + expected.string_to_sign
            )

    def _require_key(self, key_id: str) -> None:
        if not hmac.compare_digest(octets(key_id), self.access_key_id.encode()):
            raise Rejection(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")


def require_current(date: str, now: float) -> None:
    """Refuse a date that is unreadable or more than 15 minutes from `now`."""
    try:
        moment = datetime.fromisoformat(date).timestamp() if "T" in date and date.endswith("Z") else None
    except ValueError:
        moment = None
    if moment is None:
        message = "Specified time stamp or date value is not well formatted."
        raise Rejection(400, "InvalidTimeStamp.Format", message)
    if abs(now - moment) > CLOCK_SKEW:
        raise Rejection(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")


def _require_signed(call: Call, names: list[str]) -> None:
    for name in _ALWAYS_SIGNED:
        if not call.headers.get(name):
            raise missing(name)
        if name not in names:
            raise _incomplete()
    for header in call.headers:
        lower = header.lower()
        if lower.startswith("x-acs-") and lower not in names:
            raise _incomplete()


def _digest(call: Call) -> str:
    """Take the body's digest, which must be the one that the client signed where it names one."""
    digest = hashlib.sha256(call.body).hexdigest() if call.body else signatures.NOTHING
    named = call.headers.get("x-acs-content-sha256")
    if named is not None and not hmac.compare_digest(octets(named), digest.encode()):
        raise _mismatch("Specified x-acs-content-sha256 does not match the body.")
    return digest


def _incomplete() -> Rejection:
    return Rejection(400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")


def _mismatch(message: str) -> Rejection:
    return Rejection(400, "SignatureDoesNotMatch", message)
