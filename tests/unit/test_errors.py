import pickle

import pytest

from smsgate.errors import (
    BatchClosed,
    BrokerUnavailable,
    Degraded,
    FieldError,
    IdempotencyConflict,
    InvalidMessage,
    LimitExceeded,
    RetryLater,
    SettingsError,
    SmsgateError,
    StoreUnavailable,
)

EVERY_KIND = [
    InvalidMessage([FieldError("to", "is required"), FieldError("params.code", "must be a string")]),
    InvalidMessage([]),
    IdempotencyConflict("use a new key"),
    BatchClosed("the batch was called back"),
    LimitExceeded("codes", ("recipient",), "5/hour", 5, 3600, 12.25),
    Degraded(3, "only_codes", "batches", 30.0),
    StoreUnavailable("Redis: TimeoutError"),
    BrokerUnavailable("broker: TimeoutError"),
    RetryLater("throttled", 2.5),
    RetryLater("dns"),
    SettingsError("Settings:\n  SMSGATE_SIGN: is not set."),
]


@pytest.mark.parametrize("error", EVERY_KIND, ids=lambda error: type(error).__name__)
def test_an_error_survives_the_way_between_processes(error: SmsgateError) -> None:
    """Celery's pool pickles what a child raises; an error that cannot be read again kills the pool's reader."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(error, protocol))
        assert type(copy) is type(error)
        assert str(copy) == str(error)
        assert vars(copy) == vars(error)


def test_every_error_is_in_the_tree_and_every_kind_is_tried_here() -> None:
    ours = {kind for kind in SmsgateError.__subclasses__() if kind.__module__ == "smsgate.errors"}
    assert ours == {type(error) for error in EVERY_KIND}


def test_an_invalid_message_is_a_value_error_that_names_each_field() -> None:
    error = EVERY_KIND[0]
    assert isinstance(error, ValueError)
    assert str(error) == "to: is required; params.code: must be a string"


def test_a_retry_says_its_reason_and_keeps_the_wait_apart() -> None:
    error = RetryLater("throttled", 2.5)
    assert (str(error), error.wait) == ("throttled", 2.5)


def test_a_limit_that_is_used_up_says_which_and_when_it_frees_and_not_for_whom() -> None:
    error = LimitExceeded("codes", ("recipient", "sign"), "5/hour", 5, 3600, 12.25)
    assert error.wait == 13
    assert str(error) == "limit codes: 5/hour for each recipient and sign is used up; it frees in 13 s"
    assert LimitExceeded("all", (), "1/second", 1, 1, 0.0).wait == 1
