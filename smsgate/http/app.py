"""The Flask app: where the HTTP side's parts are put together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog
from flask import Flask

from smsgate import telemetry
from smsgate.flow.door import Door
from smsgate.flow.drop import Drop
from smsgate.flow.pausing import Pausing
from smsgate.flow.replay import Replay
from smsgate.flow.steer_batch import SteerBatch
from smsgate.http import batches, callbacks, dead_letters, degradation, health, messages, pauses, problems
from smsgate.http import limits as limits_route
from smsgate.http.accept import Accept
from smsgate.http.express import Express
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.batches import Batches
from smsgate.ledger.channel_standings import ChannelStandings
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.dead_letters import DeadLetters
from smsgate.ledger.degradations import Degradations
from smsgate.ledger.groups import Groups
from smsgate.ledger.lanes import Lanes
from smsgate.ledger.pauses import Pauses
from smsgate.ledger.pushes import Pushes
from smsgate.parts import admit_in, declared_channels, hand_on_in, records_in, submit_batch_to, submit_to
from smsgate.routing.breaker import Phase
from smsgate.settings import load

if TYPE_CHECKING:
    from smsgate.gates.quota import Limit

log = structlog.get_logger()

CLOSED = str(Phase.CLOSED)


def create_app(limits: Sequence["Limit"] | None = None) -> Flask:
    """Build the app from the environment; what granian is pointed at. `limits` take the place of those declared.

    Raises:
        SettingsError: A setting is wrong; it names every one.
    """
    settings = load()
    telemetry.configure(settings.log_level, form=settings.log_format)
    redis = connect_briefly(settings.redis_url)
    records = records_in(redis, settings)
    app = Flask("smsgate", static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # an attribute of Flask's default provider
    app.json.sort_keys = False  # type: ignore[attr-defined]  # likewise
    problems.register(app)
    api_keys, letters = ApiKeys(redis), DeadLetters(redis, records)
    accept = Accept(submit_to(redis, settings, limits), records)
    app.register_blueprint(messages.blueprint(accept, records, api_keys))
    app.wsgi_app = Express(app, accept, api_keys)  # type: ignore[method-assign]  # as Flask's documentation has it
    held = Batches(redis)
    steps = submit_batch_to(redis, settings, limits), SteerBatch(held, Groups(redis))
    app.register_blueprint(batches.blueprint(*steps, held, records, api_keys))
    app.register_blueprint(
        dead_letters.blueprint(letters, records, Replay(records, letters), Drop(records, letters), api_keys)
    )
    app.register_blueprint(limits_route.blueprint(admit_in(redis, settings, limits), api_keys))
    app.register_blueprint(callbacks.blueprint(Pushes(redis), settings.callback_secret))
    lanes, standings, levels = Lanes(redis), ChannelStandings(redis), Degradations(redis)
    app.register_blueprint(degradation.blueprint(levels, api_keys))
    app.register_blueprint(pauses.blueprint(Pausing(lanes, Pauses(redis), standings), api_keys))
    closed = dict.fromkeys(declared_channels(settings), CLOSED)
    app.register_blueprint(health.blueprint(records, lanes, Door(levels), lambda: closed | standings.read()))
    hand_on = hand_on_in(redis, settings)
    if hand_on:
        from smsgate.http.handing_on import HandingOn  # noqa: PLC0415 - it brings kombu

        app.wsgi_app = HandingOn(app.wsgi_app, hand_on)  # type: ignore[method-assign]  # likewise
    if settings.callback_secret is None:
        log.warning("callbacks_off", fix="set SMSGATE_CALLBACK_SECRET, or receipts cannot come in")
    return app
