"""The breakers of all channels as this process knows them: shared with all others, or alone while Redis is away."""

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import structlog
from pybreaker import CircuitBreaker

from smsgate.errors import StoreUnavailable
from smsgate.flow.breaker_events import tell
from smsgate.flow.clock import Clock
from smsgate.flow.meter import Meter
from smsgate.flow.pulse import Pulse
from smsgate.ledger.channel_health import ChannelHealth, Counts, Known
from smsgate.ledger.channel_states import ChannelStates
from smsgate.routing.alone import Alone
from smsgate.routing.breaker import CLOSED, BreakerRule, Event, Phase, Reason, State, Turn, name_of
from smsgate.routing.circuit import Circuits, Lesson, Probed, Watched, breaker

log = structlog.get_logger()

# Microseconds by which one answer of Redis may come behind a later one: longer than any is waited for.
_OVERTAKEN: Final = 5_000_000


class Breakers:
    """What is known, kept fresh by the pulse; and every act on a breaker."""

    def __init__(
        self, states: ChannelStates, health: ChannelHealth, meter: Meter, rule: BreakerRule, now: Clock
    ) -> None:
        self._shared, self._health, self._meter = states, health, meter
        self._rule, self._now = rule, now
        self.known = Known()
        self._begin_anew()
        self.pulse = Pulse(self._beat, lambda: meter.is_due, self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._alone = Alone(self._rule, self._now)
        self._leases: dict[str, list[tuple[str, int]]] = {}
        self._circuits: dict[str, CircuitBreaker] = {}
        self._meter.begin_anew()

    def circuit(self, name: str) -> CircuitBreaker:
        """Give the machine that calls go through; for a probe there is `probe`."""
        circuit = self._circuits.get(name)
        if circuit is None:
            storage = Watched(name, lambda: self.state(name), lambda: self.trip(name))
            circuit = self._circuits[name] = breaker(storage, self._rule)
        return circuit

    def probe(self, name: str, lesson: Lesson) -> CircuitBreaker | None:
        """Give the machine for a probe, if one was granted to this process and is not under way."""
        token = self._lease(name)
        if token is None:
            return None
        return breaker(Probed(name, lesson, lambda learnt: self._settle(name, token, learnt)), self._rule)

    def give_back(self, name: str) -> None:
        """Give back a probe that was granted and will not be made."""
        token = self._lease(name)
        if token is not None:
            self._settle(name, token, Lesson())

    def state(self, name: str) -> State:
        """Tell how a breaker stands, by what is known here."""
        states = self._alone.states if self.pulse.is_away else self.known.states
        return states.get(name, CLOSED)

    def take_probe(self, name: str) -> Turn:
        """Ask for a breaker that is not closed whether one more call may go; what is granted is kept for `probe`."""
        token = uuid.uuid4().hex
        turn = self._act(name, lambda circuits: circuits.take_probe(name, token))
        if turn.granted:
            with self._lock:
                self._leases.setdefault(name, []).append((token, turn.until))
        return turn

    def open(self, name: str, reason: Reason, detail: str) -> None:
        """Open a breaker at once, for all; one that is not closed stays as it is."""
        if self.state(name).phase is Phase.CLOSED:
            self._act(name, lambda circuits: circuits.open(name, reason, detail))

    def trip(self, name: str) -> bool:
        """Open a breaker by what this process has counted, if it is alone and the rule says so."""
        if not self.pulse.is_away or self.state(name).phase is not Phase.CLOSED:
            return False
        calls, since_well = self._meter.own(name), self._meter.own_since_well(name)
        reason = self._rule.trips(calls, since_well)
        if reason is not None:
            self._tell(
                self._alone.open(
                    name, reason, (since_well if since_well.total >= self._rule.least_calls else calls).told()
                ).events
            )
        return reason is not None

    def refresh(self) -> None:
        """Read how all stand.

        Raises:
            StoreUnavailable: Redis is away.
        """
        self._replace(self._health.pulse(Counts())[0])

    def by_hand(self, name: str, act: Callable[[Circuits], Turn]) -> None:
        """Act for an operator, who is told when Redis is away.

        Raises:
            StoreUnavailable: Redis is away.
        """
        self._learn(name, act(self._shared))

    def _lease(self, name: str) -> str | None:
        now = self._now()
        with self._lock:
            leases = self._leases.get(name, [])
            while leases:
                token, until = leases.pop(0)
                if until > now:
                    return token
        return None

    def _settle(self, name: str, token: str, lesson: Lesson) -> State:
        well, reason, detail = lesson.well, lesson.reason, lesson.detail
        return self._act(name, lambda on: on.settle(name, token, well=well, reason=reason, detail=detail)).state

    def _act(self, name: str, act: Callable[[Circuits], Turn]) -> Turn:
        if not self.pulse.is_away:
            try:
                turn = act(self._shared)
            except StoreUnavailable:
                self._go_alone()
                self.pulse.lost()
            else:
                self._learn(name, turn)
                return turn
        turn = act(self._alone)
        self._tell(turn.events)
        return turn

    def _beat(self) -> bool:
        counts = self._meter.take()
        try:
            known, events = self._health.pulse(counts)
        except StoreUnavailable:
            self._meter.put_back(counts)
            self._go_alone()
            return False
        if self.pulse.is_away:
            log.warning("breakers_shared_again")
        self._replace(known)
        self._tell(events)
        return True

    def _replace(self, known: Known) -> None:
        """Take over what a pulse brought, unless an act of this process has learnt better meanwhile."""
        with self._lock:
            if self._is_late(known.order):
                return
            was, self.known = self.known, known
        for name in was.states.keys() - known.states.keys():
            self._meter.forget(name)

    def _learn(self, name: str, turn: Turn) -> None:
        with self._lock:
            if not self._is_late(turn.order):
                states = {**self.known.states, name: turn.state}
                if turn.state.phase is Phase.CLOSED:
                    del states[name]
                    self._meter.forget(name)
                self.known = replace(self.known, states=states, order=turn.order)
        self._tell(turn.events)

    def _is_late(self, order: int) -> bool:
        """Say whether an answer is older than what is known; not one of another Redis, whose clock may be behind."""
        return 0 <= self.known.order - order < _OVERTAKEN

    def _go_alone(self) -> None:
        """Go on from what is known; what others find out is not heard until Redis is back."""
        with self._lock:
            if not self.pulse.is_away:
                self._alone.begin(self.known.states)
                self.pulse.is_away = True
                log.warning("breakers_alone", why="Redis is away or takes nothing")
        for name in self._meter.names():
            self.trip(name)

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            tell(event)
            if event.after is Phase.CLOSED:  # here, for a process alone; elsewhere, for what others have closed
                self._meter.forget(name_of(event.channel, event.operation))
