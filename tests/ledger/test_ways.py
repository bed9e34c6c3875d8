"""Which channels a message is claimed for, and by which ways it then goes."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.meter import STALLED_CALLS
from smsgate.flow.submit import draft
from smsgate.flow.watch import Watch
from smsgate.flow.ways import NOBODY, Network, Plan, Way, Ways
from smsgate.ledger.record import Record
from smsgate.message import Lane, Message, MessageId
from smsgate.outcome import Outcome, Sent
from smsgate.routing.profile import Profile
from smsgate.routing.table import Rule, Strategy
from smsgate.routing.traffic import Traffic
from tests.ledger.providers import Provider

MOBILE, TELECOM, ABROAD = "13800138000", "18900001234", "+6591234567"


def _message(to: str = MOBILE, **fields: object) -> Message:
    return Message.check({"to": to, "template": "T", "lane": "otp", **fields})


def _record(message: Message, client: str = "") -> Record:
    return draft(message, MessageId("m1"), client=client, at=1)


def _ways(watch: Watch, *profiles: Profile, rules: tuple[Rule, ...] = ()) -> Ways:
    ways = [Way(Provider(name=profile.name), profile) for profile in profiles]
    return Ways(Network.of(ways, rules), watch)


def _priority(*names: str, **conditions: object) -> Rule:
    return Rule.model_validate({"channels": names, "strategy": Strategy.PRIORITY, **conditions})


def _taken(ways: Ways, message: Message, client: str = "") -> list[str]:
    """Go the whole way: what a message is claimed for, and by what it goes then."""
    plan = ways.plan(message.lane, lambda: message)
    ((_, found),) = ways.by([_record(message, client)], plan, plan.channels[0])
    return [way.name for way in found]


A, B, C = (Profile(name=name) for name in "abc")


def test_one_channel_is_claimed_for_without_a_look_at_the_message(watch: Watch) -> None:
    def read() -> Message:
        pytest.fail("it was read")

    assert _ways(watch, A).plan(Lane.OTP, read) == Plan(("a",))


def test_a_rule_puts_the_channels_in_order_and_the_claim_stands(watch: Watch) -> None:
    ways = _ways(watch, A, B, C, rules=(_priority("c", "a", lane="otp"),))
    message = _message()
    plan = ways.plan(Lane.OTP, lambda: message)
    assert (plan.channels, plan.turns) == (("c", "a"), message.to)
    # The ledger passed over c, which took this number's last code.
    ((_, found),) = ways.by([_record(message)], plan, "a")
    assert [way.name for way in found] == ["a", "c"]


def test_a_rule_for_a_client_is_found_once_the_record_is_known(watch: Watch) -> None:
    ways = _ways(watch, A, B, rules=(_priority("b", "a", client="shop"), _priority("a", "b")))
    assert _taken(ways, _message()) == ["a", "b"]
    assert _taken(ways, _message(), client="shop") == ["b", "a"]


def test_carriers_and_countries_part_a_chunk(watch: Watch) -> None:
    rules = (_priority("b", carrier="telecom"), _priority("c", country="SG"), _priority("a"))
    ways = _ways(watch, A, B, C, rules=rules)
    numbers = [MOBILE, TELECOM, ABROAD, "13900000001"]
    records = [_record(_message(number, lane="bulk")) for number in numbers]
    parts = ways.by(records, ways.plan(Lane.BULK), "a")
    assert [(places, [way.name for way in found]) for places, found in parts] == [
        ([0, 3], ["a"]),
        ([1], ["b"]),
        ([2], ["c"]),
    ]


def test_a_chunk_is_drawn_for_by_weight_and_stays_there_where_weight_decides(watch: Watch) -> None:
    ways = _ways(watch, Profile(name="a", weight=3), Profile(name="b", weight=1))
    record = _record(_message(lane="bulk"))
    counts: Counter[str] = Counter()
    for _ in range(2000):
        plan = ways.plan(Lane.BULK)
        ((_, found),) = ways.by([record], plan, plan.channels[0])
        assert found[0].name == plan.channels[0]
        counts[found[0].name] += 1
    assert 0.70 < counts["a"] / 2000 < 0.80


def test_what_no_channel_carries_is_claimed_for_nobody_and_has_no_way(watch: Watch) -> None:
    ways = _ways(watch, Profile(name="a", lanes=frozenset({Lane.BULK})), Profile(name="b", countries=frozenset({"SG"})))
    message = _message()
    plan = ways.plan(Lane.OTP, lambda: message)
    assert plan.channels == NOBODY
    assert [list(found) for _, found in ways.by([_record(message)], plan, "")] == [[]]


def test_the_only_channel_does_not_carry_what_it_is_not_declared_for(watch: Watch) -> None:
    ways = _ways(watch, Profile(name="a", lanes=frozenset({Lane.BULK})))
    assert _taken(ways, _message()) == []


def test_arguments_that_are_no_message_are_claimed_for_a_channel_of_their_lane(watch: Watch) -> None:
    def read() -> Message:
        raise InvalidMessage([FieldError("to", "is not a phone number")])

    ways = _ways(watch, Profile(name="a", lanes=frozenset({Lane.BULK})), B)
    assert ways.plan(Lane.OTP, read).channels == ("b",)


def test_only_codes_alternate_and_only_where_the_rule_says_so(watch: Watch) -> None:
    ways = _ways(watch, A, B, rules=(_priority("a", "b", template="X", alternate=False),))
    for message, turns in (
        (_message(), True),
        (_message(template="X"), False),
        (_message(lane="notice"), False),
    ):
        assert (ways.plan(message.lane, lambda message=message: message).turns is not None) is turns  # type: ignore[misc]


def test_messages_go_elsewhere_while_many_calls_of_a_channel_wait_for_an_answer(watch: Watch) -> None:
    """A provider that hangs has not failed yet; it would have all threads wait for it before it has."""
    ways = _ways(watch, A, B, rules=(_priority("a", "b"),))
    let = Event()
    kind = Traffic.of(Lane.OTP)

    def hang() -> Outcome:
        let.wait(30)
        return Sent("late")

    with ThreadPoolExecutor(STALLED_CALLS) as pool:
        calls = [pool.submit(watch.call, "a", kind, hang) for _ in range(STALLED_CALLS)]
        assert _taken(ways, _message()) == ["a", "b"]
        deadline = time.monotonic() + 10
        while _taken(ways, _message()) != ["b", "a"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        let.set()
        assert {call.result() for call in calls} == {Sent("late")}
    assert _taken(ways, _message()) == ["a", "b"]
