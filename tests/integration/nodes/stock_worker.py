"""A Celery worker of somebody else: it has a task of our name and no code of ours."""

import json
import os

import redis
from celery import Celery

app = Celery("stock", broker=os.environ["STOCK_BROKER"])


@app.task(name="sms.send", bind=True)
def send(self, to, template, params=None, **fields):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN003, ANN201
    seen = {"id": self.request.id, "args": [to, template, params], "kwargs": fields, "shown": self.request.argsrepr}
    redis.Redis.from_url(os.environ["STOCK_BROKER"]).rpush("stock:seen", json.dumps(seen))
