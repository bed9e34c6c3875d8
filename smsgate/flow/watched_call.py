"""One call of a channel, through its breaker: counted, and its result returned as it came."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from pybreaker import CircuitBreaker

from smsgate.flow.breakers import Breakers
from smsgate.flow.meter import Flight, Meter, Sizes
from smsgate.outcome import Outcome
from smsgate.routing.breaker import ALARMING, AT_ONCE, Phase, Reason, State
from smsgate.routing.circuit import Lesson
from smsgate.routing.traffic import Traffic
from smsgate.routing.verdict import FAILURES, Verdict, reason_of, verdict_of
from smsgate.trace import Trace

log = structlog.get_logger()

Result = TypeVar("Result", bound=Outcome | Trace)


class _Failed(Exception):
    """Tells pybreaker that a call failed which ended in a value."""


@dataclass(slots=True)
class WatchedCall(Generic[Result]):
    """A call that is to be made once, whatever becomes of its breaker: an SMS goes out with it."""

    name: str
    channel: str
    measured: Traffic | None
    sizes: Sizes | None
    call: Callable[[], Result]
    meter: Meter
    slow: float
    result: Result | None = None
    verdict: Verdict = Verdict.UNCERTAIN
    reason: str = ""
    took: float = 0.0
    has_begun: bool = False

    def through(self, breakers: Breakers) -> Result:
        """Make the call, as a probe where one was granted, and give its result.

        Admission was given before: a breaker that has opened since stops nothing any more.
        """
        state = breakers.state(self.name)
        if state.phase is Phase.CLOSED:
            self._in_circuit(breakers.circuit(self.name), None, state)
            if self.verdict is not Verdict.OK and self.verdict in AT_ONCE:
                breakers.open(self.name, AT_ONCE[self.verdict], self.reason)
            elif self.verdict in FAILURES:
                breakers.pulse.hurry()
        else:
            lesson = Lesson()
            self._in_circuit(breakers.probe(self.name, lesson), lesson, state)
        if self.result is None:
            raise AssertionError("a call ends in a value or an exception")
        return self.result

    def _in_circuit(self, circuit: CircuitBreaker | None, lesson: Lesson | None, state: State) -> None:
        if circuit is None:
            self._make()
            return
        try:
            with circuit.calling():
                self._make()
                if self._is_failure(lesson, state):
                    raise _Failed  # noqa: TRY301 - to pybreaker, which is in between
        except _Failed:
            pass
        except Exception as error:
            if self.result is not None:  # the SMS is out: nothing may hide that
                log.error("breaker_broke", breaker=self.name, error=type(error).__name__)  # noqa: TRY400 - a traceback shows what was sent
            elif self.has_begun:
                raise  # the call's own
            else:
                self._make()  # it opened in this very moment

    def _make(self) -> None:
        self.has_begun = True
        flight = self.meter.begin(self.name)
        try:
            result = self.result = self.call()
        except Exception as error:
            self.reason = type(error).__name__
            self._ended(flight)
            raise
        except BaseException:
            flight.among.discard(flight)  # it says nothing of the provider
            raise
        self.verdict = verdict_of(result)
        if self.verdict is not Verdict.OK:
            self.reason = reason_of(result)
        self._ended(flight)

    def _ended(self, flight: Flight) -> None:
        self.took = self.meter.end(self.name, flight, self.verdict)
        if self.measured is not None:
            self.meter.measure(self.channel, self.measured, self.verdict, self.took, self.sizes)
        if self.reason and self.verdict is not Verdict.REFUSED:
            self.meter.blame(self.channel, self.reason)

    def _is_failure(self, lesson: Lesson | None, state: State) -> bool:
        if lesson is None:
            return self.verdict is not Verdict.OK and self.verdict in FAILURES
        lesson.well, lesson.reason = self._proved(state)
        lesson.detail = self.reason or f"the call took {self.took:.1f} s"
        return lesson.well is False

    def _proved(self, state: State) -> tuple[bool | None, Reason]:
        """Say what a probe has proved: that the channel is well, that it is not and why, or (None) nothing."""
        was = state.reason or Reason.FAILING
        if self.verdict in AT_ONCE:
            return False, AT_ONCE[self.verdict]
        if self.verdict in FAILURES:
            return False, was if was in ALARMING else Reason.FAILING
        if was is Reason.SLOW_CALLS and self.took > self.slow:
            return False, was
        # A refusal may come before anybody looks at the account: only what was sent proves that it is well again.
        is_proof = self.verdict is Verdict.OK or (self.verdict is Verdict.REFUSED and was not in ALARMING)
        return (True if is_proof else None), was
