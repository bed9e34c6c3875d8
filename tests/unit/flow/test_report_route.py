"""What is told of the way that a message would take."""

from smsgate.flow.report_route import report_route
from smsgate.flow.ways import traits_of
from smsgate.ledger.channel_health import Known
from smsgate.ledger.channel_states import Paused
from smsgate.message import Message
from smsgate.routing.breaker import SEND, Phase, Reason, State, name_of
from smsgate.routing.carriers import Carrier
from smsgate.routing.profile import Profile
from smsgate.routing.table import Rule, Strategy, Table
from smsgate.routing.traffic import Kind, Traffic, TrafficClass
from smsgate.routing.traits import Traits

PROFILES = [Profile(name="main", weight=9), Profile(name="backup"), Profile(name="abroad", countries=["US"])]
CODES = Traffic(TrafficClass.OTP, Carrier.MOBILE)


def traits() -> Traits:
    return traits_of(Message.check({"to": "13800138000", "template": "SMS_1", "lane": "otp"}), "shop")


def test_shares_follow_weights_and_health() -> None:
    known = Known(weights={Kind("main", CODES): 0.5})
    rule = Rule(lane="otp", client="shop", channels=("main", "backup", "abroad"))
    told = report_route(Table([rule], PROFILES), known, traits())
    assert (told["to"], told["country"], told["carrier"]) == ("+86138****8000", "CN", "mobile")
    assert told["rule"]["conditions"] == {"lane": ["otp"], "client": ["shop"]}
    shares = {one["name"]: (one["health"], one["share"]) for one in told["channels"]}
    assert shares == {"main": (0.5, round(4.5 / 5.5, 4)), "backup": (1.0, round(1 / 5.5, 4))}
    assert told["cannot_carry"] == ["abroad"]


def test_who_cannot_be_called_now_comes_last_with_the_reason() -> None:
    opened = State(Phase.OPEN, Reason.FAILING, "20 of 20", until=2_000)
    known = Known({name_of("main", SEND): opened}, {"backup": Paused("maintenance", 0)})
    table = Table(
        [Rule(channels=("main", "backup", "third"), strategy=Strategy.PRIORITY)], [*PROFILES, Profile(name="third")]
    )
    told = report_route(table, known, traits(), lambda: 1_000)
    assert [(one["name"], one["available"], one["why"]) for one in told["channels"]] == [
        ("third", True, ""),
        ("main", False, "breaker open: failing 20 of 20"),
        ("backup", False, "paused: maintenance"),
    ]
    probed = report_route(table, known, traits(), lambda: 2_000)
    assert probed["channels"][0]["name"] == "main"


def test_without_a_rule_every_channel_that_can_carry_it_is_told() -> None:
    told = report_route(Table([], PROFILES), Known(), traits())
    assert (told["rule"], {one["name"] for one in told["channels"]}) == (None, {"main", "backup"})


def test_a_message_that_nobody_carries_has_no_way() -> None:
    told = report_route(Table([Rule(channels="abroad")], PROFILES), Known(), traits())
    assert (told["channels"], told["cannot_carry"]) == ([], ["abroad"])
