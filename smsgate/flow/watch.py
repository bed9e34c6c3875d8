"""Watches the channels: which may be called now, and how calls end; docs/routing.md tells the rules."""

from collections.abc import Callable, Iterable, Mapping

from smsgate.flow.board import ChannelBoard, board_of, mean_weight, weight_of
from smsgate.flow.breakers import Breakers
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.meter import Meter, Sizes
from smsgate.flow.standing import PAUSED, Admission, Blocked, Go, Standing
from smsgate.flow.watched_call import Result, WatchedCall
from smsgate.ledger.channel_health import ChannelHealth
from smsgate.ledger.channel_states import ASK_AGAIN, ChannelStates
from smsgate.routing.breaker import SEND, BreakerRule, Phase, Reason, State, name_of
from smsgate.routing.traffic import Kind, Traffic

_GO = Go()


class Watch:
    """The channels as one process sees them; build one for each process, for any number of threads and children.

    `channels` are those declared, for `board`. While a breaker is closed nothing here asks Redis: a thread does, for
    all calls of the process, and decides alone while Redis is away.
    """

    def __init__(
        self,
        states: ChannelStates,
        health: ChannelHealth,
        rule: BreakerRule | None = None,
        *,
        channels: Iterable[str] = (),
        now: Clock = system_clock,
    ) -> None:
        self._states, self._health = states, health
        self._rule = rule or BreakerRule()
        self._channels = tuple(channels)
        self._now = now
        self._meter = Meter(self._rule)
        self._breakers = Breakers(states, health, self._meter, self._rule, now)
        self._pulse = self._breakers.pulse

    def admit(self, channel: str, operation: str = SEND) -> Admission:
        """Say whether a channel may be called now. Once it is `Go`, call; or `give_back` where that is not to be.

        Of a breaker that is half-open it takes the lease of a probe, which costs a round trip to Redis.
        """
        self._pulse.use()
        pause = self._breakers.known.pauses.get(channel) if operation == SEND else None
        if pause is not None:
            return Blocked(self._later(), PAUSED, detail=pause.reason)
        name = name_of(channel, operation)
        state = self._breakers.state(name)
        if state.phase is Phase.CLOSED or not self._rule.enabled:
            return _GO
        if state.reason is Reason.BY_HAND:
            return _blocked(state, self._later())
        if state.phase is Phase.OPEN and self._now() < state.until:
            return _blocked(state, state.until)
        turn = self._breakers.take_probe(name)
        if turn.granted or turn.state.phase is Phase.CLOSED:
            return Go(is_probe=turn.granted)
        return _blocked(turn.state, turn.until)

    def peek(self, channel: str, traffic: Traffic | None = None, operation: str = SEND) -> Standing:
        """Say how a channel stands, without asking for anything; without `traffic` the weight is the average."""
        self._pulse.use()
        known = self._breakers.known
        state = self._breakers.state(name_of(channel, operation))
        pause = known.pauses.get(channel) if operation == SEND else None
        return Standing(
            state.phase,
            state.until if pause is None else self._later(),
            PAUSED if pause is not None else state.reason or "",
            pause.reason if pause is not None else state.detail,
            is_slow=state.reason is Reason.SLOW_CALLS and pause is None,
            weight=mean_weight(known, channel) if traffic is None else weight_of(known, Kind(channel, traffic)),
            is_paused=pause is not None,
            is_stalled=self._meter.is_stalled(name_of(channel, operation)),
        )

    def call(
        self,
        channel: str,
        traffic: Traffic,
        call: Callable[[], Result],
        operation: str = SEND,
        *,
        sizes: Sizes | None = None,
    ) -> Result:
        """Make a call that was admitted, and count it; what it returns or raises is passed on unchanged.

        `sizes` says how many messages of which kind it carries, one of `traffic` without.
        """
        if not self._rule.enabled:
            return call()
        self._pulse.keep()
        measured = traffic if operation == SEND else None  # questions tell nothing of how well it sends
        name, slow = name_of(channel, operation), self._rule.slow_call_seconds
        return WatchedCall(name, channel, measured, sizes, call, self._meter, slow).through(self._breakers)

    def give_back(self, channel: str, operation: str = SEND) -> None:
        """Give back an admission that no call comes of: another may probe, before the lease has ended."""
        self._breakers.give_back(name_of(channel, operation))

    def receipt(self, channel: str, traffic: Traffic, sent_at: int, received_at: int, *, delivered: bool) -> None:
        """Count a receipt for the time at which its message was sent; both in Unix milliseconds."""
        self._pulse.keep()
        self._meter.receipt(channel, traffic, sent_at, received_at, delivered=delivered)

    def open_by_hand(self, channel: str, reason: str, operation: str = SEND) -> None:
        """Open a breaker until it is closed by hand: no probe goes.

        Raises:
            StoreUnavailable: Redis is away. So do the others that follow.
        """
        name = name_of(channel, operation)
        self._breakers.by_hand(name, lambda circuits: circuits.open(name, Reason.BY_HAND, reason))

    def close_by_hand(self, channel: str, operation: str = SEND) -> None:
        """Close a breaker, whatever opened it, and begin to count anew."""
        name = name_of(channel, operation)
        self._breakers.by_hand(name, lambda circuits: circuits.close(name))

    def pause(self, channel: str, reason: str) -> None:
        """Send nothing through a channel until it is resumed; its breaker goes on as it is, and questions are asked."""
        self._states.pause(channel, reason, self._now())

    def resume(self, channel: str) -> bool:
        """Let a paused channel go on; False when it was not paused."""
        return self._states.resume(channel)

    def board(self) -> Mapping[str, ChannelBoard]:
        """Lay out all channels for an operator."""
        self._breakers.refresh()
        return board_of(self._channels, self._breakers.known, self._states, self._health)

    def close(self) -> None:
        """Hand in what was counted, and end the thread."""
        self._pulse.stop()

    def _later(self) -> int:
        return self._now() + ASK_AGAIN


def _blocked(state: State, until: int) -> Blocked:
    return Blocked(until, state.reason or "", is_slow=state.reason is Reason.SLOW_CALLS, detail=state.detail)
