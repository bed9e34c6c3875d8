"""`/v1/dead-letters`: list them, show one, send them again, drop one."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Request, Response, g, jsonify, request

from smsgate.errors import FieldError
from smsgate.flow.drop import Drop, Dropped
from smsgate.flow.replay import Replay, Replayed
from smsgate.flow.report import moment, report
from smsgate.http.auth import authenticate
from smsgate.http.body import read_object
from smsgate.http.letter_query import list_query, replay_query
from smsgate.http.owned import owned
from smsgate.http.problems import Problem, bad_request
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.dead_letters import SCAN, DeadLetters
from smsgate.ledger.records import Records
from smsgate.states import State


def blueprint(letters: DeadLetters, records: Records, replay: Replay, drop: Drop, api_keys: ApiKeys) -> Blueprint:
    """Build the routes round their parts."""
    routes = Blueprint("dead_letters", __name__, url_prefix="/v1/dead-letters")

    @routes.before_request
    def _authenticate() -> None:
        g.client = authenticate(request, api_keys)

    @routes.get("")
    def listed() -> Response:
        query = list_query(_parameters(request), g.client)
        page = letters.page(query.which, limit=query.limit, cursor=query.cursor)
        rest = str(page.next) if page.next else None
        return jsonify({"dead_letters": [report(one) for one in page.letters], "next": rest})

    @routes.get("/<message_id>")
    def show(message_id: str) -> Response:
        record = owned(records, message_id, g.client)
        if record.state is not State.DEAD:
            raise _not_dead(HTTPStatus.NOT_FOUND, record.state)
        return jsonify(report(record))

    @routes.post("/replay")
    def send_again() -> Response:
        query = replay_query(read_object(request), g.client)
        if query.ids:
            return jsonify(_told(replay.these(query.ids, rate=query.rate, client=g.client)))
        page = query.listed
        done = replay.matching(page.which, rate=query.rate, limit=page.limit, cursor=page.cursor, scan=SCAN)
        return jsonify(_told(done))

    @routes.delete("/<message_id>")
    def give_up(message_id: str) -> tuple[str, int]:
        record = owned(records, message_id, g.client)
        if drop(record.id) is Dropped.NOT_DEAD:
            raise _not_dead(HTTPStatus.CONFLICT, owned(records, message_id, g.client).state)
        return "", HTTPStatus.NO_CONTENT

    return routes


def _told(done: Replayed) -> dict[str, Any]:
    return {
        "replayed": done.count,
        "until": None if done.until is None else moment(done.until),
        "skipped": [{"id": one.id, "why": one.why} for one in done.skipped],
        "next": str(done.next) if done.next else None,
    }


def _not_dead(status: HTTPStatus, state: State) -> Problem:
    detail = f"id: the message is {state}, not a dead letter; GET /v1/messages/ID tells what became of it."
    return Problem(status, "not-dead", detail, state=state)


def _parameters(request: Request) -> dict[str, str]:
    """Read the query string; a parameter given twice would be one of the two, by chance."""
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        raise bad_request([FieldError(name, "is given twice; give it once") for name in twice])
    return dict(request.args.items())
