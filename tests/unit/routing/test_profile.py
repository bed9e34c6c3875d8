import pytest

from smsgate.message import Lane
from smsgate.phone import Phone
from smsgate.routing.caps import ALIYUN_CAPS
from smsgate.routing.carriers import Carrier
from smsgate.routing.profile import Profile, TemplateThere
from smsgate.routing.traits import Traits

CODE = Traits(Lane.OTP, "SMS_1", Phone("+8613800138000"), "CN", Carrier.MOBILE, sign="Shop")
MAPPED = Profile(
    name="main",
    sign="Default",
    signs={"Shop": "Shop there"},
    templates={"SMS_1": TemplateThere(code="77", params=("code", "minutes")), "SMS_2": TemplateThere(code="78")},
)


@pytest.mark.parametrize(
    ("profile", "carries"),
    [
        (Profile(name="main"), True),
        (MAPPED, True),
        (Profile(name="main", lanes=frozenset({Lane.BULK})), False),
        (Profile(name="main", countries=frozenset({"US"})), False),
        (Profile(name="main", countries=frozenset({"US", "CN"})), True),
        (Profile(name="main", templates={"SMS_2": TemplateThere(code="1")}), False),
        (Profile(name="main", signs={"Bank": "Bank"}), False),
    ],
)
def test_a_channel_carries_what_it_is_declared_to(profile: Profile, carries: bool) -> None:
    assert profile.can_carry(CODE) is carries


def test_a_channel_names_templates_signs_and_variables_as_its_provider_does() -> None:
    assert MAPPED.template_for("SMS_1") == "77"
    assert (MAPPED.sign_for("Shop"), MAPPED.sign_for(None)) == ("Shop there", "Default")
    assert MAPPED.params_for("SMS_1", {"minutes": "5", "code": "123456"}) == {"code": "123456", "minutes": "5"}
    assert MAPPED.params_for("SMS_2", {"b": "1", "a": "2"}) == {"b": "1", "a": "2"}


def test_without_tables_words_pass_as_they_are() -> None:
    plain = Profile(name="main")
    assert (plain.template_for("SMS_1"), plain.sign_for("Shop"), plain.sign_for(None)) == ("SMS_1", "Shop", None)


def test_a_variable_that_the_order_names_and_the_message_lacks_is_left_to_the_provider() -> None:
    assert MAPPED.params_for("SMS_1", {"code": "123456"}) == {"code": "123456"}


def test_recipients_are_limited_as_the_provider_does_it_or_as_is_declared() -> None:
    assert Profile(name="main").caps == ALIYUN_CAPS
    assert Profile(name="main", provider="tencent").caps == ()
    assert Profile(name="main", recipient_limits=()).caps == ()
