"""Signers of our own, written from the provider's pages, that share no code with the sandbox.

They encode byte by byte, so that a slip in one place cannot hide behind the same slip in the other.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from multidict import CIMultiDict

from smsgate.sandbox import wire
from smsgate.sandbox.wire import Call

KEY_ID, SECRET = "testid", "testsecret"
NOW = 1_790_000_000.0
DATE = "2026-09-21T14:13:20Z"
_BARE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")


def percent(text: str) -> str:
    return "".join(chr(byte) if byte in _BARE else f"%{byte:02X}" for byte in text.encode())


def form(text: str) -> str:
    """Encode as a form does on the wire: a space is a plus."""
    return percent(text).replace("%20", "+")


def canonical(pairs: Mapping[str, str]) -> str:
    return "&".join(f"{percent(name)}={percent(pairs[name])}" for name in sorted(pairs))


def acs3_headers(query: Mapping[str, str], body: bytes = b"", **changed: str) -> dict[str, str]:
    """Make the headers of a signed request, Authorization included."""
    headers = {
        "host": "127.0.0.1:8025",
        "x-acs-action": "SendSms",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-acs-date": DATE,
        "x-acs-signature-nonce": "nonce-1",
        "x-acs-version": "2017-05-25",
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    request = "\n".join(["POST", "/", canonical(query), lines, ";".join(names), headers["x-acs-content-sha256"]])
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(SECRET.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return headers


def acs3_call(query: Mapping[str, str], body: bytes = b"", **changed: str) -> Call:
    """Make a signed call as it is read off the wire."""
    return call(query, acs3_headers(query, body, **changed), body)


def call(query: Mapping[str, str], headers: Mapping[str, str], body: bytes = b"", method: str = "POST") -> Call:
    target = "/?" + "&".join(f"{form(name)}={form(value)}" for name, value in query.items())
    return wire.read(method, target, CIMultiDict(headers), body)


def rpc_parameters(method: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Add the older signature to the parameters."""
    every = {
        "AccessKeyId": KEY_ID,
        "Action": "SendSms",
        "Format": "JSON",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "nonce-1",
        "SignatureVersion": "1.0",
        "Timestamp": DATE,
        "Version": "2017-05-25",
        **parameters,
    }
    to_sign = f"{method}&%2F&{percent(canonical(every))}"
    digest = hmac.new(f"{SECRET}&".encode(), to_sign.encode(), hashlib.sha1).digest()
    return {**every, "Signature": base64.b64encode(digest).decode()}
