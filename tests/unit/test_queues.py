from smsgate.message import Lane
from smsgate.queues import LANE_QUEUES, Queue, TaskName


def test_every_lane_has_a_queue_of_its_own() -> None:
    assert LANE_QUEUES.keys() == set(Lane)
    assert len(set(LANE_QUEUES.values())) == len(Lane)


def test_the_names_that_other_programs_send_by_stay_as_they_are() -> None:
    assert {*Queue} == {
        "sms.otp",
        "sms.notice",
        "sms.bulk",
        "sms.receipts",
        "sms.chores",
        "sms.questions",
        "sms.webhooks",
    }
    assert TaskName.SEND == "sms.send"
