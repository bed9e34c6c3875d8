import redis

from smsgate.ledger import keys
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.message import MessageId


def test_a_message_is_found_by_its_providers_id(store: redis.Redis) -> None:
    ids = ProviderIds(store)
    ids.note("backup", "2640:1", MessageId("m1"))
    ids.note("backup", "2640:2", MessageId("m2"))

    assert ids.look_up(["2640:2", "unknown", "2640:1"]) == [("m2",), (), ("m1",)]
    assert ids.look_up([]) == []


def test_two_channels_may_have_the_same_id_for_messages_of_theirs(store: redis.Redis) -> None:
    ids = ProviderIds(store)
    ids.note("backup", "1", MessageId("m1"))
    ids.note("other", "1", MessageId("m2"))
    ids.note("other", "1", MessageId("m2"))

    assert [set(found) for found in ids.look_up(["1"])] == [{"m1", "m2"}]


def test_it_is_forgotten_after_four_days(store: redis.Redis) -> None:
    ProviderIds(store).note("backup", "1", MessageId("m1"))

    assert 0 < store.ttl(keys.provider_id("1")) <= 4 * 86400
