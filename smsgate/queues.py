"""The queue and task names that cross the wire. Other programs send by them: they never change."""

from enum import StrEnum
from typing import Final

from smsgate.message import Lane


class Queue(StrEnum):
    """Every queue; the Procfile has a worker for each."""

    OTP = "sms.otp"
    NOTICE = "sms.notice"
    BULK = "sms.bulk"
    RECEIPTS = "sms.receipts"
    WEBHOOKS = "sms.webhooks"
    CHORES = "sms.chores"
    QUESTIONS = "sms.questions"


class TaskName(StrEnum):
    """Every task."""

    SEND = "sms.send"
    SEND_CHUNK = "sms.send_chunk"
    RECEIVE = "sms.receive"
    ASK = "sms.ask"
    WAKE = "sms.wake"
    GATHER = "sms.gather"
    DEGRADE = "sms.degrade"
    WEIGH = "sms.weigh"
    CANCEL_ROWS = "sms.cancel_rows"
    SWEEP = "sms.sweep"
    CENSUS = "sms.census"
    REQUEUE_PUSHES = "sms.requeue_pushes"
    NOTIFY = "sms.notify"
    DISPATCH_WEBHOOKS = "sms.dispatch_webhooks"
    HAND_ON = "sms.hand_on"
    MARK = "sms.mark"


LANE_QUEUES: Final[dict[Lane, Queue]] = {Lane.OTP: Queue.OTP, Lane.NOTICE: Queue.NOTICE, Lane.BULK: Queue.BULK}
