"""Which faults strike, how often, and what they plan."""

import pytest
from pydantic import ValidationError

from smsgate.sandbox.faults.board import PLAIN, FaultBoard
from smsgate.sandbox.faults.latency import LONGEST_MS
from smsgate.sandbox.faults.magic import MAGIC
from smsgate.sandbox.faults.specs import ASKED, Fault, Outage, Refuse, Reset, Throttle

PHONE = "13800138000"


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def board(*asked: dict[str, object], clock: Time | None = None) -> FaultBoard:
    made = FaultBoard(clock or Time())
    for spec in asked:
        made.post(fault(spec))
    return made


def fault(spec: dict[str, object]) -> Fault:
    read = ASKED.validate_python(spec)
    assert not isinstance(read, Outage | Refuse)
    return read


def strikes(faults: FaultBoard, action: str = "SendSms", phone: str = PHONE, template: str = "SMS_1") -> bool:
    return faults.on_call(action, [phone], template) is not None


def test_nothing_happens_where_nothing_was_posted() -> None:
    assert not strikes(board())
    assert board().on_receipt(PHONE, "SMS_1") is PLAIN


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({}, True),
        ({"phone": "+8613800138000"}, True),
        ({"phone": "13800138001"}, False),
        ({"phone_prefix": "138"}, True),
        ({"phone_prefix": "139"}, False),
        ({"template": "SMS_1"}, True),
        ({"template": "SMS_2"}, False),
        ({"action": "SendSms"}, True),
        ({"action": "SendBatchSms"}, False),
        ({"action": "*"}, True),
        ({"phone": PHONE, "template": "SMS_2"}, False),
    ],
)
def test_a_fault_strikes_what_it_matches(match: dict[str, str], struck: bool) -> None:
    assert strikes(board({"kind": "reset", "match": match})) is struck


def test_a_fault_without_an_action_leaves_queries_alone() -> None:
    assert not strikes(board({"kind": "reset"}), "QuerySendDetails")
    assert strikes(board({"kind": "reset", "match": {"action": "*"}}), "QuerySendDetails")


def test_a_count_is_used_up_by_what_was_struck() -> None:
    faults = board({"kind": "reset", "count": 2, "match": {"phone": PHONE}})
    assert not strikes(faults, phone="13900000000")
    assert [strikes(faults) for _ in range(3)] == [True, True, False]
    assert faults.listed() == []


def test_a_fault_ends_with_its_duration() -> None:
    clock = Time()
    faults = board({"kind": "reset", "duration_seconds": 5}, clock=clock)
    clock.now += 4.9
    assert strikes(faults)
    clock.now += 0.1
    assert not strikes(faults)


def test_an_account_is_throttled_above_so_many_calls_a_second() -> None:
    clock = Time()
    faults = board({"kind": "throttle", "above": 3}, clock=clock)
    assert [strikes(faults) for _ in range(5)] == [False, False, False, True, True]
    clock.now += 1
    assert [strikes(faults) for _ in range(4)] == [False, False, False, True]


def test_the_same_seed_strikes_the_same_calls_at_about_the_rate_that_was_asked_for() -> None:
    spec: dict[str, object] = {"kind": "reset", "probability": 0.3, "seed": 7}
    one, two = board(spec), board(spec)
    first = [strikes(one) for _ in range(1000)]
    assert first == [strikes(two) for _ in range(1000)]
    assert 250 < sum(first) < 350
    other = board({**spec, "seed": 8})
    assert first != [strikes(other) for _ in range(1000)]


def test_the_fault_that_was_posted_first_wins_and_delays_add_up() -> None:
    faults = board(
        {"kind": "latency", "ms": 10},
        {"kind": "throttle", "count": 1},
        {"kind": "reset"},
        {"kind": "latency", "ms": 5},
    )
    first, second = faults.on_call("SendSms", [PHONE], ""), faults.on_call("SendSms", [PHONE], "")
    assert first is not None
    assert second is not None
    assert isinstance(first.fault, Throttle)
    assert isinstance(second.fault, Reset)
    assert first.delay_ms == 15


@pytest.mark.parametrize(
    "distribution",
    [
        {"shape": "uniform", "low_ms": 10, "high_ms": 20},
        {"shape": "normal", "mean_ms": 1, "deviation_ms": 50},
        {"shape": "lognormal", "median_ms": 50_000, "sigma": 5},
    ],
)
def test_a_drawn_delay_is_reproducible_and_within_bounds(distribution: dict[str, object]) -> None:
    def drawn() -> list[float]:
        faults = board({"kind": "latency", "distribution": distribution, "seed": 1})
        struck = [faults.on_call("SendSms", [PHONE], "") for _ in range(200)]
        return [each.delay_ms if each else 0.0 for each in struck]

    assert drawn() == drawn()
    assert all(0 <= delay <= LONGEST_MS for delay in drawn())
    assert len(set(drawn())) > 10


def test_receipt_faults_add_up() -> None:
    faults = board(
        {"kind": "undeliverable", "err_code": "MK:0001"},
        {"kind": "receipt_doubled", "copies": 3},
        {"kind": "receipt_delayed", "seconds": 2},
        {"kind": "receipt_delayed", "seconds": 3, "match": {"phone": "13900000000"}},
    )
    plan = faults.on_receipt(PHONE, "SMS_1")
    assert (plan.err_code, plan.copies, plan.delay, plan.settles) == ("MK:0001", 3, 2, True)
    assert not plan.reaches_phone


def test_a_lost_receipt_is_not_pushed_and_may_not_be_known_at_all() -> None:
    lost = board({"kind": "receipt_lost"}).on_receipt(PHONE, "")
    unknown = board({"kind": "receipt_lost", "queryable": False}).on_receipt(PHONE, "")
    assert (lost.copies, lost.settles) == (0, True)
    assert (unknown.copies, unknown.settles) == (0, False)


def test_a_magic_number_concerns_sending_only() -> None:
    for phone in MAGIC:
        assert not strikes(board(), "QuerySendDetails", phone)
        assert strikes(board(), "SendSms", phone) or board().on_receipt(phone, "") != PLAIN


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"kind": "unheard-of"},
        {"kind": "latency"},
        {"kind": "latency", "ms": 1, "distribution": {"shape": "uniform", "low_ms": 1, "high_ms": 2}},
        {"kind": "latency", "ms": -1},
        {"kind": "latency", "ms": float("nan")},
        {"kind": "reset", "probability": 0},
        {"kind": "reset", "probability": 1.1},
        {"kind": "reset", "count": 0},
        {"kind": "reset", "match": {"action": "Unknown"}},
        {"kind": "refuse"},
        {"kind": "refuse", "seconds": 5, "count": 1},
        {"kind": "business_error", "code": "with blank"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(spec: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ASKED.validate_python(spec)


def test_each_fault_says_whether_the_phone_has_the_message() -> None:
    said = {
        (posted["kind"], bool(posted.get("accepted"))): posted["phone_receives"]
        for posted in (each.shown(0) for each in board(*_ALL).listed())
    }
    assert said == {
        ("latency", False): True,
        ("throttle", False): False,
        ("business_error", False): False,
        ("unavailable", False): False,
        ("unavailable", True): True,
        ("html", False): False,
        ("html", True): True,
        ("reset", False): False,
        ("reset", True): True,
        ("hang", False): False,
        ("hang", True): True,
        ("drip", False): True,
        ("undeliverable", False): False,
        ("receipt_lost", False): True,
        ("receipt_doubled", False): True,
        ("receipt_delayed", False): True,
        ("receipt_shuffled", False): True,
    }


_ALL: list[dict[str, object]] = [
    {"kind": "latency", "ms": 1},
    {"kind": "throttle"},
    {"kind": "business_error", "code": "isv.AMOUNT_NOT_ENOUGH"},
    {"kind": "unavailable"},
    {"kind": "unavailable", "accepted": True},
    {"kind": "html"},
    {"kind": "html", "accepted": True},
    {"kind": "reset"},
    {"kind": "reset", "accepted": True},
    {"kind": "hang"},
    {"kind": "hang", "accepted": True},
    {"kind": "drip"},
    {"kind": "undeliverable"},
    {"kind": "receipt_lost"},
    {"kind": "receipt_doubled"},
    {"kind": "receipt_delayed", "seconds": 1},
    {"kind": "receipt_shuffled"},
]
