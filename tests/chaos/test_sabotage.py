"""A broken promise is found in a running gateway too: a proof that cannot fail proves nothing."""

from dataclasses import dataclass, field

import pytest

from tests.chaos.disturbers import Scene
from tests.chaos.rehearsal import Plan, rehearse
from tests.chaos.scenarios import Scenario
from tests.integration.nodes.until import until


@dataclass(frozen=True, slots=True)
class Saboteur:
    """Sends one message again, and wipes out the record of another."""

    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def __call__(self, scene: Scene) -> None:
        # The SDK reads the environment when it is imported, which the tests of our channel set up first.
        from tests.integration.sandbox.sdk import client, request  # noqa: PLC0415 - see above

        until(lambda: len(scene.customers.accepted) > 10, "messages are accepted")
        (number, sent_again), (_, wiped_out), *_ = list(scene.customers.accepted.items())
        self.twice.append(sent_again)
        self.lost.append(wiped_out)
        client(scene.fleet.sandbox.endpoint).send_sms(request(number, out_id=sent_again))
        (key,) = scene.fleet.redis.keys(f"*msg*{wiped_out}*")
        scene.fleet.redis.delete(key)
        scene.done["sabotage"] += 2


@pytest.mark.timeout(180)
def test_a_message_sent_twice_and_a_lost_one_are_found() -> None:
    saboteur, said = Saboteur(), list[str]()
    scenario = Scenario("sabotage", "Two promises are broken on purpose.", (saboteur,))

    result = rehearse(scenario, Plan(messages=40, rate=20, drain_deadline=60), said.append)

    offences = result.verdict.offences
    assert [offence.message_id for offence in offences if offence.promise == "twice"] == saboteur.twice
    assert [offence.message_id for offence in offences if offence.promise == "lost"] == saboteur.lost
    assert not result.verdict.kept
