"""Reading an action's parameters, refused in the gateway's words where one is missing."""

import json

from smsgate.sandbox import numbers
from smsgate.sandbox.answers import Code, missing, refuse

Params = dict[str, str]


def required(params: Params, *names: str) -> list[str]:
    """Take the values of parameters that must be there and not be empty."""
    for name in names:
        if not params.get(name):
            raise missing(name)
    return [params[name] for name in names]


def json_list(written: str) -> list[object]:
    """Read a JSON array."""
    try:
        items = json.loads(written)
    except (ValueError, RecursionError):
        raise refuse(Code.INVALID_JSON_PARAM) from None
    if not isinstance(items, list):
        raise refuse(Code.INVALID_JSON_PARAM)
    return items


def json_strings(written: str) -> list[str]:
    """Read a JSON array of strings."""
    items = json_list(written)
    strings = [item for item in items if isinstance(item, str)]
    if len(strings) != len(items):
        raise refuse(Code.INVALID_JSON_PARAM)
    return strings


def phones(params: Params) -> list[str]:
    """Name the numbers that a call is about, in kept form; whatever cannot be read is left to the action."""
    if written := params.get("PhoneNumbers") or params.get("PhoneNumber"):
        return [numbers.digits(number) for number in written.split(",")]
    if written := params.get("PhoneNumberJson"):
        try:
            items = json.loads(written)
        except (ValueError, RecursionError):
            return []
        return [numbers.digits(item) for item in items if isinstance(item, str)] if isinstance(items, list) else []
    return []
