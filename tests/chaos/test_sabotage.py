"""A broken promise is found in a running gateway too: a proof that cannot fail proves nothing.

One run for single messages and batches, since a whole gateway takes its time to start.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smsgate.ledger import keys
from smsgate.message import MessageId
from tests.chaos.disturbers import Scene
from tests.chaos.rehearsal import Plan, rehearse
from tests.chaos.scenarios import Scenario
from tests.integration.nodes.until import until


@dataclass(frozen=True, slots=True)
class Saboteur:
    """Sends a message and a row again, wipes out the record of others, and has two batches say what is not so."""

    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)

    def __call__(self, scene: Scene) -> None:
        accepted, batches = scene.customers.accepted, scene.customers.batches
        until(lambda: not scene.customers.busy(), "every message is accepted")
        singles = [(number, one) for number, one in accepted.items() if number.startswith("139")]
        (wrong_count, _), (wrong_rest, _), (wiped, rows), (again, others), *_ = batches.items()
        self._send_again(scene, *singles[0])
        self._send_again(scene, others.wanted[0], accepted[others.wanted[0]])
        self._wipe_out(scene, singles[1][1])
        self._wipe_out(scene, accepted[rows.wanted[0]])
        store = scene.fleet.redis
        store.hincrby(keys.batch(wrong_count), "delivered", 1)
        store.hset(keys.batch(wrong_rest), "rows_rejected", 0)
        assert again not in (wrong_count, wrong_rest, wiped)
        self.miscounted.extend(sorted((wrong_count, wrong_rest, wiped)))
        scene.done["sabotage"] += 6

    def _send_again(self, scene: Scene, number: str, message_id: str) -> None:
        # The SDK reads the environment when it is imported, which the tests of our channel set up first.
        from tests.integration.sandbox.sdk import client, request  # noqa: PLC0415 - see above

        self.twice.append(message_id)
        client(scene.fleet.sandbox.endpoint).send_sms(request(number, out_id=message_id))

    def _wipe_out(self, scene: Scene, message_id: str) -> None:
        self.lost.append(message_id)
        assert scene.fleet.redis.delete(keys.record(MessageId(message_id)))


@pytest.mark.timeout(180)
def test_what_is_sent_twice_or_lost_and_batches_that_count_wrong_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # a broken run leaves its logs
    saboteur, said = Saboteur(), list[str]()
    scenario = Scenario("sabotage", "Promises are broken on purpose.", (saboteur,))

    result = rehearse(scenario, Plan(messages=40, rate=20, drain_deadline=60), said.append)

    offences = result.verdict.offences
    assert not result.verdict.kept
    for promise in ("twice", "lost", "miscounted"):
        found = {offence.message_id for offence in offences if offence.promise == promise}
        assert found == set(getattr(saboteur, promise)), promise
