"""The breakers of a process that has to decide by itself, because Redis is away: the same rule over its own calls."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from smsgate.routing.breaker import CLOSED, BreakerRule, Event, Phase, Reason, State, Turn, split


class Alone:
    """States in memory; each act does what the script of its name does for all processes."""

    def __init__(self, rule: BreakerRule, now: Callable[[], int]) -> None:
        """Take a clock in Unix milliseconds."""
        self._rule = rule
        self._now = now
        self._lock = threading.Lock()
        self._states: dict[str, State] = {}
        self._probes: dict[str, dict[str, int]] = {}

    def begin(self, states: Mapping[str, State]) -> None:
        """Start from what was known when Redis went away; probes of other processes are theirs to answer for."""
        with self._lock:
            self._states = dict(states)
            self._probes.clear()

    def state(self, name: str) -> State:
        return self._states.get(name, CLOSED)

    @property
    def states(self) -> Mapping[str, State]:
        return self._states

    def take_probe(self, name: str, token: str) -> Turn:
        """Let one more call through, if it is time and not too many are under way."""
        with self._lock:
            state, now = self.state(name), self._now()
            again = now + int(self._rule.sleep * 1000)
            if state.phase is Phase.CLOSED:
                return Turn(state)
            if state.reason is Reason.BY_HAND:
                return Turn(state, until=again)
            if state.phase is Phase.OPEN and now < state.until:
                return Turn(state, until=state.until)
            return self._grant(name, token, state, now)

    def _grant(self, name: str, token: str, state: State, now: int) -> Turn:
        probes = {one: ends for one, ends in self._probes.get(name, {}).items() if ends > now}
        events: tuple[Event, ...] = ()
        if state.phase is Phase.OPEN:
            half = replace(state, phase=Phase.HALF_OPEN, since=now, until=now, successes=0)
            events = (self._turn(name, half),)
            state = half
        if token not in probes and len(probes) >= self._rule.probes:
            return Turn(state, events, until=min(now + 1000, *probes.values()))
        probes[token] = now + int(self._rule.probe_lease * 1000)
        self._probes[name] = probes
        return Turn(state, events, granted=True, until=probes[token])

    def settle(self, name: str, token: str, *, well: bool | None, reason: Reason, detail: str) -> Turn:
        """Draw the lesson of a probe."""
        with self._lock:
            state, now = self.state(name), self._now()
            held = self._probes.get(name, {}).pop(token, None)
            if held is None or state.phase is not Phase.HALF_OPEN or well is None:
                return Turn(state)
            if not well:
                return self._opened(name, reason, detail, now)
            state = replace(state, successes=state.successes + 1)
            if state.successes < self._rule.successes:
                self._states[name] = state
                return Turn(state)
            return Turn(CLOSED, (self._turn(name, CLOSED),))

    def open(self, name: str, reason: Reason, detail: str) -> Turn:
        """Open a breaker; one that is not closed stays as it is."""
        with self._lock:
            state = self.state(name)
            is_same = (state.reason, state.detail) == (reason, detail)
            if is_same or (state.phase is not Phase.CLOSED and reason is not Reason.BY_HAND):
                return Turn(state)
            return self._opened(name, reason, detail, self._now())

    def close(self, name: str) -> Turn:
        with self._lock:
            is_closed = self.state(name).phase is Phase.CLOSED
            return Turn(CLOSED, () if is_closed else (self._turn(name, CLOSED),))

    def _opened(self, name: str, reason: Reason, detail: str, now: int) -> Turn:
        state = State(Phase.OPEN, reason, detail, now, now + self._rule.sleep_after(reason))
        return Turn(state, (self._turn(name, state),))

    def _turn(self, name: str, to: State) -> Event:
        was = self.state(name)
        if to.phase is Phase.CLOSED:
            self._states.pop(name, None)
        else:
            self._states[name] = to
        if to.phase is not Phase.HALF_OPEN:
            self._probes.pop(name, None)
        detail = to.detail or was.detail
        return Event(self._now(), *split(name), was.phase, to.phase, to.reason or was.reason, detail, was.reason)
