"""Pause and resume by hand: a lane, a client, a template or a channel; and tell what is paused."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.channel_standings import ChannelStandings
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.pauses import Kind, Pauses, Subject
from smsgate.message import Lane


class What(StrEnum):
    """What can be paused."""

    LANE = "lane"
    CLIENT = "client"
    TEMPLATE = "template"
    CHANNEL = "channel"


# What a name can be, and how that is said.
_NAMES: Final = {
    What.LANE: (re.compile("|".join(Lane)), f"must be {', '.join(Lane)}"),
    What.CLIENT: (re.compile(r"[\w-]{1,64}"), "must be letters, digits, - and _, as `smsgate keys list` shows it"),
    What.TEMPLATE: (re.compile(r"[A-Za-z0-9_.:-]{1,64}"), "must be a template's code, such as SMS_154950909"),
    What.CHANNEL: (re.compile(r"[a-z0-9-]{1,32}"), "must be a channel's name, as the configuration has it"),
}


@dataclass(frozen=True, slots=True)
class Paused:
    """What stands still, and who paused it when and why."""

    what: What
    name: str
    pause: Pause


@dataclass(frozen=True, slots=True)
class Pausing:
    """Pauses by hand."""

    lanes: Lanes
    pauses: Pauses
    channels: ChannelStandings
    now: Clock = system_clock

    def pause(self, what: What, name: str, reason: str) -> Paused:
        """Keep messages back until they are resumed; what is accepted meanwhile waits too, and expires as ever.

        Raises:
            InvalidMessage: The name is none.
            StoreUnavailable: Redis is away. So do the others.
        """
        _insist_on_a_name(what, name)
        pause = Pause(By.HAND, reason, self.now())
        match what:
            case What.LANE:
                self.lanes.pause(Lane(name), pause)
            case What.CLIENT | What.TEMPLATE:
                self.pauses.pause(Subject(Kind(what), name), pause)
            case What.CHANNEL:
                self.channels.pause(name, pause.reason, pause.at)
            case _:
                assert_never(what)
        return Paused(what, name, pause)

    def resume(self, what: What, name: str) -> bool:
        """Let messages go on, whoever paused them; False when they were not paused."""
        _insist_on_a_name(what, name)
        match what:
            case What.LANE:
                return self.lanes.resume(Lane(name))
            case What.CLIENT | What.TEMPLATE:
                return self.pauses.resume(Subject(Kind(what), name))
            case What.CHANNEL:
                return self.channels.resume(name)
            case _:
                assert_never(what)

    def all(self) -> list[Paused]:
        """List all that is paused."""
        return [*self._lanes(), *self._subjects(), *self._channels()]

    def _lanes(self) -> Iterator[Paused]:
        yield from (Paused(What.LANE, lane, pause) for lane, pause in self.lanes.pauses().items())

    def _subjects(self) -> Iterator[Paused]:
        known = sorted(self.pauses.all().items(), key=lambda one: str(one[0]))
        yield from (Paused(What(subject.kind), subject.name, pause) for subject, pause in known)

    def _channels(self) -> Iterator[Paused]:
        for name, paused in sorted(self.channels.paused().items()):
            yield Paused(What.CHANNEL, name, Pause(By.HAND, paused.reason, paused.at))


def _insist_on_a_name(what: What, name: str) -> None:
    known, rule = _NAMES[what]
    if not known.fullmatch(name):
        raise InvalidMessage([FieldError("name", rule)])
