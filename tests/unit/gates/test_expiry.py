from hypothesis import given
from hypothesis import strategies as st

from smsgate.gates.expiry import has_expired

MOMENT = st.integers(min_value=0, max_value=2**53)


@given(valid_until=MOMENT, now=MOMENT)
def test_a_message_has_expired_from_the_very_millisecond_on(valid_until: int, now: int) -> None:
    assert has_expired(valid_until, now) is (now >= valid_until)
    assert has_expired(valid_until, valid_until)
    assert not has_expired(valid_until, valid_until - 1)


@given(valid_until=MOMENT, now=MOMENT, later=MOMENT)
def test_what_has_expired_stays_so(valid_until: int, now: int, later: int) -> None:
    assert not has_expired(valid_until, now) or has_expired(valid_until, max(now, later))
