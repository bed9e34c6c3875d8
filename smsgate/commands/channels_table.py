"""Channels laid out for a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

_STYLES: Final = {"closed": "green", "open": "red", "half-open": "yellow", "paused": "magenta"}
_LEFT: Final = ("channel", "provider", "state")
_RIGHT: Final = ("weight", "success", "p95 ms", "delivered", "after s", "calls/s", "rate used", "throttled")
# Seconds up to which a time is told in seconds, and in minutes.
_MINUTES: Final = 120
_HOURS: Final = 7200

Channel = Mapping[str, Any]


def channels_table(channels: Iterable[Channel], *, by_carrier: bool = False) -> Table:
    """Lay out channels, a row each; with `by_carrier` a row more for each carrier and class."""
    table = Table(caption="calls of the last minute; receipts of what was sent in the last five, and are due")
    for name in _LEFT:
        table.add_column(name, overflow="fold")
    for name in _RIGHT:
        table.add_column(name, justify="right")
    table.add_column("last error", overflow="fold")
    for one in channels:
        table.add_row(*_row(one))
        for kind in one["kinds"] if by_carrier else ():
            if kind["carrier"] or kind["calls_per_second"]:
                table.add_row(*_kind_row(one, kind), style="dim")
    return table


def _row(one: Channel) -> list[str]:
    provider = escape(one["provider"]) if one["declared"] else "[dim]not declared[/]"
    weight = f"{one['declared_weight']:g} × {one['health']:.2f}" if one["declared"] else ""
    error = one["last_error"]
    told = f"{escape(error['what'])}, {_ago(error['at'])}" if error else ""
    return [escape(one["name"]), provider, _state(one), weight, *_figures(one), _rate(one["rate"]), _count(one), told]


def _kind_row(one: Channel, kind: Channel) -> list[str]:
    named = f"  {kind['carrier'] or 'several or none'}, {kind['lanes']}"
    weight = f"{one['declared_weight']:g} × {kind['health']:.2f}" if one["declared"] else ""
    return [named, "", "", weight, *_figures(kind), "", _count(kind), ""]


def _figures(one: Channel) -> list[str]:
    delay = one["receipt_delay_seconds"]
    return [
        _percent(one["success"]),
        "" if one["p95_ms"] is None else f"{one['p95_ms']:,}",
        _percent(one["delivered"]),
        "" if delay is None else f"{delay:g}",
        f"{one['calls_per_second']:,.4g}",
    ]


def _count(one: Channel) -> str:
    return f"{one['throttled']:,}" if one["throttled"] else ""


def _state(one: Channel) -> str:
    """Say how a channel stands, why, and until when."""
    breaker, pause = one["breaker"], one["paused"]
    lines = [f"[{_STYLES[one['state']]}]{one['state']}[/]"]
    if pause:
        lines.append(f"{escape(pause['reason'])} since {_ago(pause['since'])}".strip())
    if breaker["state"] != "closed":
        before = f"breaker {breaker['state']}: " if pause else ""
        detail = f" ({escape(breaker['detail'])})" if breaker["detail"] else ""
        lines.append(f"{before}{breaker['reason'] or ''}{detail}{_until(breaker)}")
    if one["questions"]["state"] != "closed":
        lines.append(f"questions: {one['questions']['state']}, {one['questions']['reason']}")
    return "\n".join(lines)


def _until(breaker: Channel) -> str:
    if breaker["reason"] == "by_hand":
        return ", until it is closed by hand"
    if breaker["state"] != "open" or not breaker["until"]:
        return ""
    left = (_time(breaker["until"]) - datetime.now(UTC)).total_seconds()
    return f", to be probed in {left:.0f} s" if left > 0 else ", to be probed by the next call"


def _rate(rate: Mapping[str, float | None]) -> str:
    if rate["declared"] is None:
        return ""
    slowed = "" if rate["effective"] == rate["declared"] else f"[yellow]{rate['effective']:,.4g}[/] of "
    return f"{rate['used']:,.4g} / {slowed}{rate['declared']:,g}"


def events_table(events: Sequence[Channel]) -> Table:
    """Lay out what became of breakers, the latest first."""
    table = Table("at", "channel", "for", "from", "to", "reason", "detail")
    for one in events:
        turn = [f"[{_STYLES[one[name]]}]{one[name]}[/]" for name in ("before", "after")]
        facts = [escape(one[name] or "") for name in ("reason", "detail")]
        table.add_row(_local(one["at"]), escape(one["channel"]), one["operation"], *turn, *facts)
    return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _ago(at: str) -> str:
    seconds = max(0.0, (datetime.now(UTC) - _time(at)).total_seconds())
    if seconds < _MINUTES:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < _HOURS else _local(at)


def _local(at: str) -> str:
    return _time(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _time(at: str) -> datetime:
    return datetime.fromisoformat(at)
