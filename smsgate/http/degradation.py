"""`/v1/degradation`: see how far the gateway is degraded, set the level by hand, leave it to the rule again."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, g, jsonify, request

from smsgate.errors import FieldError
from smsgate.flow.clock import system_clock
from smsgate.flow.degrade import fix
from smsgate.flow.report import moment
from smsgate.http.auth import authenticate_operator
from smsgate.http.body import read_object
from smsgate.http.problems import bad_request
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.degradations import Change, Degradations
from smsgate.routing.degradation import Degradation, Level

LONGEST_REASON: Final = 500
AUTO: Final = "auto"


def blueprint(levels: Degradations, api_keys: ApiKeys) -> Blueprint:
    """Build the routes round their parts."""
    routes = Blueprint("degradation", __name__, url_prefix="/v1/degradation")

    @routes.before_request
    def _authenticate() -> None:
        g.client = authenticate_operator(request, api_keys)

    @routes.get("")
    def show() -> Response:
        return jsonify(_report(levels.read().state, levels.changes()))

    @routes.put("")
    def set_level() -> Response:
        level, reason = _wanted(read_object(request))
        state = fix(levels, level, reason, system_clock())
        return jsonify(_report(state, levels.changes()))

    return routes


def _wanted(fields: Mapping[str, Any]) -> tuple[Level | None, str]:
    """Read which level is wanted, None for the rule's, and why.

    Raises:
        Problem: A field is not what it must be (422).
    """
    level = fields.get("level")
    is_level = level == AUTO or (type(level) is int and level in set(Level))
    errors = [] if is_level else [FieldError("level", f'must be 0, 1, 2, 3 or "{AUTO}"')]
    errors += [FieldError(name, "is no field of this; give level and reason") for name in fields.keys() - _FIELDS]
    reason = read_reason(fields, errors)
    if errors:
        raise bad_request(errors)
    return None if level == AUTO else Level(level), reason  # type: ignore[arg-type]  # checked above


_FIELDS: Final = {"level", "reason"}


def read_reason(fields: Mapping[str, Any], errors: list[FieldError]) -> str:
    """Read the reason that a request gives, and note where it is none."""
    reason = fields.get("reason", "")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON or not reason.isprintable():
        errors.append(FieldError("reason", f"must be a string of at most {LONGEST_REASON} printable characters"))
    return str(reason)


def _report(state: Degradation, changes: list[Change]) -> dict[str, Any]:
    level = state.level_at(system_clock())
    return {
        "level": int(level),
        "level_name": level.label,
        "by": "hand" if state.fixed else "rule",
        "since": moment(state.since) if state.since else None,
        "why": state.why,
        "changes": [
            {**_levels(change), "at": moment(change.at), "by": change.by, "why": change.why} for change in changes
        ],
    }


def _levels(change: Change) -> dict[str, Any]:
    return {"before": int(change.before), "after": int(change.after)}
