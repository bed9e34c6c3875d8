"""One message of a hundred is refused: which?"""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from smsgate.flow.apart import apart
from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent

SENT = Sent("1")


class Provider:
    """Refuses a call for the first of these that is in it."""

    def __init__(self, refused: dict[int, Outcome]) -> None:
        self.refused, self.calls = refused, 0

    def __call__(self, messages: Sequence[int]) -> Outcome:
        self.calls += 1
        return next((self.refused[one] for one in messages if one in self.refused), SENT)


def ends(provider: Provider, count: int) -> dict[int, Outcome]:
    found = [(one, outcome) for part, outcome in apart(range(count), provider) for one in part]
    assert sorted(one for one, _ in found) == list(range(count))  # each once
    return dict(found)


def test_messages_that_are_taken_cost_one_call() -> None:
    provider = Provider({})
    assert set(ends(provider, 100).values()) == {SENT}
    assert provider.calls == 1


def test_one_bad_number_costs_fourteen_calls_and_stops_nobody_else() -> None:
    bad = Refused("isv.MOBILE_NUMBER_ILLEGAL", Fault.MESSAGE)
    provider = Provider({37: bad})
    known = ends(provider, 100)
    assert [one for one, outcome in known.items() if outcome == bad] == [37]
    assert provider.calls <= 15


def test_a_refusal_of_the_template_is_found_out_to_be_everybodys_by_four_calls() -> None:
    illegal = Refused("isv.SMS_TEMPLATE_ILLEGAL", Fault.CONFIGURATION)
    provider = Provider(dict.fromkeys(range(100), illegal))
    assert set(ends(provider, 100).values()) == {illegal}
    assert provider.calls == 4


def test_a_refusal_of_the_template_for_one_message_is_its_own() -> None:
    illegal = Refused("isv.SMS_TEMPLATE_ILLEGAL", Fault.CONFIGURATION)
    known = ends(Provider({50: illegal}), 100)
    assert [one for one, outcome in known.items() if outcome == illegal] == [50]


def test_what_may_have_been_sent_is_not_sent_again_in_parts() -> None:
    for outcome in (Uncertain("read_timeout"), Unsent("throttled", Fault.THROTTLED), Unsent("dns", Fault.PROVIDER)):
        provider = Provider({3: outcome})
        assert set(ends(provider, 100).values()) == {outcome}
        assert provider.calls == 1


FAULTS = st.sampled_from([Fault.MESSAGE, Fault.RECIPIENT, Fault.UNKNOWN])


@given(refused=st.dictionaries(st.integers(0, 99), FAULTS, max_size=30), count=st.integers(1, 100))
def test_whichever_are_refused_exactly_those_are(refused: dict[int, Fault], count: int) -> None:
    outcomes: dict[int, Outcome] = {one: Refused(str(one), fault) for one, fault in refused.items()}
    known = ends(Provider(outcomes), count)
    assert known == {one: outcomes.get(one, SENT) for one in range(count)}
