"""One message of a hundred is refused: which?"""

from collections.abc import Callable, Hashable, Sequence

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


def ends(provider: Provider, count: int, variables: Callable[[int], Hashable] = lambda _: "name") -> dict[int, Outcome]:
    found = [(one, outcome) for part, outcome in apart(range(count), provider, variables) for one in part]
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
    provider = Provider({50: illegal})
    known = ends(provider, 100)
    assert [one for one, outcome in known.items() if outcome == illegal] == [50]
    assert provider.calls <= 17


MISSING = Refused("isv.TEMPLATE_MISSING_PARAMETERS", Fault.VARIABLES)


def test_a_column_that_is_misspelt_is_found_out_by_two_calls() -> None:
    provider = Provider(dict.fromkeys(range(100), MISSING))
    assert set(ends(provider, 100).values()) == {MISSING}
    assert provider.calls == 2


def test_those_that_bring_every_variable_go_though_each_second_lacks_one() -> None:
    provider = Provider(dict.fromkeys(range(0, 100, 2), MISSING))
    known = ends(provider, 100, lambda one: one % 2)
    assert known == {one: SENT if one % 2 else MISSING for one in range(100)}
    assert provider.calls <= 14


def test_one_refused_for_its_variables_speaks_not_for_those_that_bring_the_same_and_were_sent() -> None:
    for place in (21, 51, 81):
        known = ends(Provider({place: MISSING, 98: MISSING}), 100, lambda one: one % 2)
        assert [one for one, outcome in known.items() if outcome == MISSING] == [place, 98]


def test_one_that_lacks_a_variable_for_a_reason_of_its_own_speaks_for_itself_only() -> None:
    provider = Provider({99: MISSING})
    known = ends(provider, 100)
    assert [one for one, outcome in known.items() if outcome == MISSING] == [99]
    assert provider.calls <= 17


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


@given(brought=st.lists(st.sampled_from(["name", "nmae", "name,city", "city", ""]), min_size=1, max_size=100))
def test_whoever_lacks_a_variable_is_refused_and_nobody_else(brought: list[str]) -> None:
    expected = {one: SENT if "name" in names else MISSING for one, names in enumerate(brought)}
    provider = Provider({one: outcome for one, outcome in expected.items() if outcome == MISSING})
    assert ends(provider, len(brought), lambda one: brought[one]) == expected
