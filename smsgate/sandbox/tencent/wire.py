"""One call as it came over the wire: common parameters in headers, the action's own in a JSON body."""

import json
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from multidict import CIMultiDict, CIMultiDictProxy

from smsgate.sandbox import numbers
from smsgate.sandbox.tencent.answers import CallError, missing

T = TypeVar("T")

ACTION: Final = "X-TC-Action"


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `params` is empty until the body has been read by `params_of`."""

    method: str
    path: str
    query: str
    headers: CIMultiDict[str] | CIMultiDictProxy[str]
    body: bytes

    @property
    def action(self) -> str:
        return self.headers.get(ACTION, "")

    @property
    def version(self) -> str:
        return self.headers.get("X-TC-Version", "")


@dataclass(frozen=True, slots=True)
class Params:
    """An action's parameters, each read by its type and refused in the provider's words."""

    given: dict[str, Any]

    def text(self, name: str) -> str:
        value = self.given.get(name)
        if value is None or value == "":
            raise missing(name)
        return _checked(name, value, str)

    def optional(self, name: str) -> str:
        return _checked(name, self.given.get(name) or "", str)

    def texts(self, name: str) -> list[str]:
        values: list[Any] = _checked(name, self.given.get(name) or [], list)
        return [_checked(name, value, str) for value in values]

    def number(self, name: str) -> int:
        if self.given.get(name) is None:
            raise missing(name)
        return _checked(name, self.given[name], int)

    @property
    def phones(self) -> list[str]:
        """Name the numbers that a call is about, in kept form; whatever cannot be read is left to the action."""
        several = self.given.get("PhoneNumberSet")
        written = several if isinstance(several, list) else [self.given.get("PhoneNumber")]
        return [numbers.digits(number) for number in written if isinstance(number, str)]


def read(method: str, target: str, headers: CIMultiDict[str] | CIMultiDictProxy[str], body: bytes) -> Call:
    path, _, query = target.partition("?")
    return Call(method, path, query, headers, body)


def params_of(call: Call) -> Params:
    """Read the body.

    Raises:
        CallError: It is no JSON object.
    """
    try:
        given = json.loads(call.body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise CallError("InvalidParameter", "The request body is not a JSON object.")
    return Params(given)


def _checked(name: str, value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise CallError("InvalidParameter", f"The parameter `{name}` is not of the type that it should be.")
    return value
