"""The two ways in which an Aliyun request is signed, calculated from what came over the wire.

Sources: the provider's pages on the V3 (ACS3-HMAC-SHA256) and the RPC (HMAC-SHA1) signature. On the wire a query
is form-encoded (a space is `+`); what is signed is RFC 3986 (`%20`, with `~` bare). So: decode, then encode again.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from multidict import CIMultiDict, CIMultiDictProxy

from smsgate.sandbox.wire import Pairs

ACS3: Final = "ACS3-HMAC-SHA256"
NOTHING: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as it should be, and the text that it covers."""

    signature: str
    string_to_sign: str
    canonical_request: str = ""


def acs3(
    secret: str,
    request_line: tuple[str, str, Pairs],
    headers: CIMultiDict[str] | CIMultiDictProxy[str],
    names: Sequence[str],
    digest: str,
) -> Signed:
    """Sign by ACS3-HMAC-SHA256: method, path and query, the named headers, and the body's digest."""
    method, path, query = request_line
    lines = "".join(f"{name}:{_header(headers, name)}\n" for name in names)
    canonical = f"{method}\n{path}\n{_canonical(query)}\n{lines}\n{';'.join(names)}\n{digest}"
    to_sign = f"{ACS3}\n{hashlib.sha256(octets(canonical)).hexdigest()}"
    signature = hmac.digest(secret.encode(), to_sign.encode(), "sha256").hex()
    return Signed(signature, to_sign, canonical)


def rpc(secret: str, method: str, parameters: Mapping[str, str]) -> Signed:
    """Sign by the older RPC way: HMAC-SHA1 over every parameter but the signature itself."""
    pairs = [(name, value) for name, value in parameters.items() if name != "Signature"]
    to_sign = f"{method}&%2F&{_percent(_canonical(pairs))}"
    digest = hmac.digest(f"{secret}&".encode(), to_sign.encode(), "sha1")
    return Signed(base64.b64encode(digest).decode(), to_sign)


def octets(text: str) -> bytes:
    """Give back the bytes that the HTTP parser read; those that were no UTF-8 it kept as surrogates."""
    return text.encode("utf-8", "surrogateescape")


def _header(headers: CIMultiDict[str] | CIMultiDictProxy[str], name: str) -> str:
    values = headers.getall(name, [])
    if len(values) == 1:
        return values[0].strip()
    return ",".join(sorted(value.strip() for value in values))


def _canonical(pairs: Pairs) -> str:
    return "&".join([f"{_percent(name)}={_percent(value)}" for name, value in sorted(pairs)])


def _percent(text: str) -> str:
    return quote(text, safe="~", errors="replace")
