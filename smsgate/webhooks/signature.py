"""Signatures as the Standard Webhooks specification 1.0 lays them down, so that receivers can use its libraries."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
# The specification asks for 24 to 64.
_SECRET_BYTES: Final = 32


def new_secret() -> str:
    """Make a signing secret."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def sign(body: bytes, *, webhook_id: str, at: int, valid: Sequence[str]) -> dict[str, str]:
    """Write the three headers, with one signature for each valid secret; `at` in Unix seconds.

    `at` is the time of this attempt: receivers refuse what is older than five minutes.
    """
    signed = f"{webhook_id}.{at}.".encode() + body
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in valid),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
