"""One call as it came over the wire, whichever way the SDK wrote its parameters."""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from multidict import CIMultiDict, CIMultiDictProxy

from smsgate.sandbox.answers import Rejection

Pairs = list[tuple[str, str]]

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_TOO_MANY_FIELDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `query` and `form` are what signatures are made of, `params` is what the action reads."""

    method: str
    path: str
    query: Pairs
    form: Pairs
    headers: CIMultiDict[str] | CIMultiDictProxy[str]
    body: bytes
    params: dict[str, str]

    @property
    def action(self) -> str:
        return self.headers.get("x-acs-action") or self.params.get("Action", "")

    @property
    def version(self) -> str:
        return self.headers.get("x-acs-version") or self.params.get("Version", "")


def read(method: str, target: str, headers: CIMultiDict[str] | CIMultiDictProxy[str], body: bytes) -> Call:
    """Read the call out of a request line's target, its headers and its body.

    Raises:
        Rejection: The body is not what its content type says, or holds a thousand fields.
    """
    path, _, query_string = target.partition("?")
    query = _pairs(query_string)
    form: Pairs = []
    params = dict(query)
    if body:
        media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media == _FORM:
            form = _pairs(_text(body))
            params.update(form)
        elif media == _JSON:
            params.update(_fields(body))
    return Call(method, path, query, form, headers, body, params)


def _pairs(written: str) -> Pairs:
    if not written:
        return []
    try:
        return parse_qsl(written, keep_blank_values=True, max_num_fields=_TOO_MANY_FIELDS)
    except ValueError:
        raise _unreadable() from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise _unreadable() from None


def _fields(body: bytes) -> dict[str, str]:
    """Read a JSON body; a value that is no string is kept as the JSON it is."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if not isinstance(fields, dict):
        raise _unreadable()
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}


def _unreadable() -> Rejection:
    return Rejection(400, "InvalidParameter.Format", "Specified parameter format is not valid.")
