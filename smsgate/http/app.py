"""The Flask app: where the HTTP side's parts are put together."""

import structlog
from flask import Flask

from smsgate import telemetry
from smsgate.flow.submit import Submit
from smsgate.http import callbacks, health, messages, problems
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.pushes import Pushes
from smsgate.ledger.records import Records
from smsgate.settings import load

log = structlog.get_logger()


def create_app() -> Flask:
    """Build the app from the environment; what granian is pointed at.

    Raises:
        SettingsError: A setting is wrong; it names every one.
    """
    settings = load()
    telemetry.configure(settings.log_level, form=settings.log_format)
    redis = connect_briefly(settings.redis_url)
    records = Records(redis, retention=settings.retention)
    app = Flask("smsgate", static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # an attribute of Flask's default provider
    app.json.sort_keys = False  # type: ignore[attr-defined]  # likewise
    problems.register(app)
    app.register_blueprint(messages.blueprint(Submit(records), records, ApiKeys(redis)))
    app.register_blueprint(callbacks.blueprint(Pushes(redis), settings.callback_secret))
    app.register_blueprint(health.blueprint(records))
    if settings.callback_secret is None:
        log.warning("callbacks_off", fix="set SMSGATE_CALLBACK_SECRET, or receipts cannot come in")
    return app
