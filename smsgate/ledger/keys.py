"""Every Redis key that smsgate owns, and how long each lives."""

import hashlib
from collections.abc import Sequence
from typing import Final

from smsgate.message import Lane, MessageId

API_KEYS: Final = "sms:keys"
PAUSES: Final = "sms:pauses"  # of lanes, by lane, as JSON
PAUSES_OF: Final = "sms:pauses:of"  # of clients and templates, by KIND:NAME, as JSON
DEGRADATION: Final = "sms:degradation"  # `state`: the level as JSON; `go:LANE`: a hand lets this lane go all the same
DEGRADATION_CHANGES: Final = "sms:degradation:changes"  # the latest fifty, as JSON
REPLIES: Final = "sms:replies"
UNKNOWN_CODES: Final = "sms:unknown_codes"
PUSHES_WAITING: Final = "sms:pushes"
WEBHOOKS: Final = "sms:webhooks"

# The index over records: sorted sets of message ids, scores in Unix milliseconds.
DUE_IN: Final = "sms:due:"  # + lane: messages queued or being sent, by when somebody must look after them
UNCERTAIN: Final = "sms:uncertain"  # messages that may have been sent, by when their provider must be asked
SILENT: Final = "sms:silent"  # messages sent and not reported, by when their provider must be asked
DEAD: Final = "sms:dead"  # dead letters, by when they died
WAITING_IN: Final = "sms:waiting:"  # + lane: messages with a task in the queue, by since when
PARKED_IN: Final = "sms:parked:"  # + lane: messages of a paused lane, by since when
TALLY_OF: Final = "sms:tally:"  # + lane and number of a time slice: attempts that ended, and those that ended dead
STRAYS: Final = "sms:strays"
GROUPS_OF: Final = "sms:groups:"  # + lane: groups of messages that leave together, by when they may be taken
GROUPS_ASIDE_OF: Final = (
    "sms:groups:aside:"  # + lane: groups of paused clients and templates, by when they were looked at
)
ASIDE: Final = "sms:aside"  # paused clients and templates with messages that stand aside, KIND:NAME
ASIDE_OF: Final = "sms:aside:"  # + KIND:NAME: messages of a paused client or template, by when they expire
GROUP_IN: Final = "sms:group:"  # + lane and group: the messages that wait in it

# Where tasks wait in a broker of their own, the lists named like queues are the outbox from which they go there.
PARCELS: Final = "sms:parcels"  # what somebody is handing on, by until when (Unix milliseconds of Redis)
PARCEL_OF: Final = "sms:parcel:"
AT_BROKER: Final = "sms:at_broker"  # by queue, how many tasks the broker holds, as it was last asked
MARKS_PUT: Final = "sms:marks:put"  # by lane, when the latest mark was put into its queue
MARKS_OUT: Final = "sms:marks:out"  # by lane, how many marks were put since one came out
MARKS_PASSED: Final = "sms:marks:passed"  # by lane, when the latest mark was put that has come out of it

# The health of channels. Breakers have names, CHANNEL|OPERATION.
BREAKERS: Final = "sms:breakers"  # those that are not closed, as JSON
BREAKER_EVENTS: Final = "sms:breakers:events"  # the latest hundred, as JSON
BREAKER_TURNS: Final = "sms:breakers:turns"  # by name and state, how often it came to that
CHANNELS_PAUSED: Final = "sms:channels:paused"  # by an operator, by name, as JSON
CHANNEL_WEIGHTS: Final = "sms:channels:weights"  # by CHANNEL|CARRIER|CLASS, 0 to 1
CHANNEL_STATE: Final = "sms:channels:health"  # what the weights come of, as JSON
CHANNEL_ERRORS: Final = "sms:channels:errors"  # by name, when the latest was and what
CALLS_IN: Final = "sms:calls:"  # + Unix second: how calls ended, for the breakers' window
CALLS_SINCE_WELL: Final = "sms:calls:since_well"  # by breaker and kind, calls since one went well
HEALTH_IN: Final = "sms:health:"  # + number of a slice: how calls ended and took, by channel, carrier and class

RECORD_OF: Final = "sms:msg:"
BATCH_OF: Final = "sms:batch:"

DAY: Final = 24 * 3600
# A record that has not come to an end is kept longer than any message can be scheduled (30 days), valid (7 days) and
# without its receipt (72 hours), yet not for ever.
OPEN_RECORD_TTL: Final = 45 * DAY
# No group waits for longer than the messages in it are kept.
GROUP_TTL: Final = OPEN_RECORD_TTL
# A chunk is asked for by its number until the provider says no more of its messages: after 72 hours.
CHUNK_TTL: Final = 4 * DAY
# As long as that; every message of a channel whose reports know no other id has one of these.
PROVIDER_ID_TTL: Final = 4 * DAY
# How far the round over all records has come (see smsgate/flow/census.py).
ROUND: Final = "sms:round"
# Counts of deliveries of tasks that have no record yet.
DELIVERIES_TTL: Final = DAY
# Attempts are counted in slices of so many milliseconds, for the lanes' brakes.
TALLY_SLICE: Final = 10_000
TALLY_TTL: Final = 600
# Seconds in a slice of health, and for which it is kept.
HEALTH_SLICE: Final = 5
HEALTH_TTL: Final = 900
IDEMPOTENCY_TTL: Final = DAY
PUSH_TTL: Final = 3 * DAY
# Longer than the longest wait between two attempts (a day and a fifth), from the last attempt.
WEBHOOK_TTL: Final = 3 * DAY
BREAKER_TTL: Final = DAY
# Seconds for which it is remembered by which channels a number got its codes: who asks for another within that time has
# not received the one before.
TURNS_TTL: Final = 600
NOBODYS_TURN: Final = "sms:turns:"
# Seconds for which it is believed how many tasks the broker holds.
AT_BROKER_TTL: Final = 15
STRAY_TTL: Final = 45 * DAY
# Seconds for which a channel's pace is kept without a call: a cut of its rate is forgotten sooner.
PACE_TTL: Final = 3600
# For which it is known what a caller was told: longer than one call is tried again.
TOLD_TTL: Final = 60
# Replies are kept by number, not by age: the oldest go first.
MOST_REPLIES: Final = 100_000


def record(message_id: MessageId) -> str:
    return f"{RECORD_OF}{message_id}"


def deliveries(task_id: str) -> str:
    return f"sms:deliveries:{task_id}"


def deaths(task_id: str) -> str:
    return f"sms:deaths:{task_id}"


def due(lane: Lane) -> str:
    return f"{DUE_IN}{lane}"


def waiting(lane: Lane) -> str:
    return f"{WAITING_IN}{lane}"


def groups(lane: Lane) -> str:
    return f"{GROUPS_OF}{lane}"


def group(lane: Lane, name: str = "") -> str:
    return f"{GROUP_IN}{lane}:{name}"


def groups_aside(lane: Lane) -> str:
    return f"{GROUPS_ASIDE_OF}{lane}"


def aside(subject: str) -> str:
    return f"{ASIDE_OF}{subject}"


def ahead(lane: Lane) -> str:
    return f"sms:ahead:{lane}"


def chunk(chunk_id: str) -> str:
    return f"sms:chunk:{chunk_id}"


def provider_id(given: str) -> str:
    return f"sms:provider_id:{given}"


def batch(batch_id: str) -> str:
    return f"{BATCH_OF}{batch_id}"


def probe(lane: Lane) -> str:
    return f"sms:probe:{lane}"


def parked(lane: Lane) -> str:
    return f"{PARKED_IN}{lane}"


def tally(lane: Lane, at: int) -> str:
    """Name the slice of time in which `at` (Unix milliseconds) lies."""
    return f"{TALLY_OF}{lane}:{at // TALLY_SLICE}"


def idempotency(client: str, key: str) -> str:
    """Hash the caller's key: it may be long, and may hold what should not be read in a key listing."""
    return f"sms:idem:{client}:{hashlib.sha256(key.encode()).hexdigest()}"


def turns(number: str) -> str:
    """Hash the number: keys are listed and logged."""
    return f"{NOBODYS_TURN}{hashlib.sha256(number.encode()).hexdigest()[:32]}"


def limit(kind: str, span: str, name: str, subject: Sequence[str]) -> str:
    """Name what one limit counts, in its way and for its span, for one subject, which is hashed: it may be a number.

    It lives for as long as it counts: a window of the calendar a minute longer, a sliding counter for two spans.
    """
    hashed = hashlib.sha256("\0".join(subject).encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return f"sms:limit:{name}:{kind}:{span}:{hashed}"


def window_before(key: str) -> str:
    """Name the window before that of a sliding counter."""
    return f"{key}:before"


def push(push_id: str) -> str:
    return f"sms:push:{push_id}"


def webhook_attempts(message_id: MessageId) -> str:
    return f"sms:webhook:{message_id}"


def webhook_secrets(client: str) -> str:
    return f"sms:webhook-secrets:{client}"


def breaker(endpoint: str) -> str:
    return f"sms:breaker:{endpoint}"


def breaker_probes(name: str) -> str:
    return f"sms:breakers:probes:{name}"


def pace(channel: str) -> str:
    return f"sms:pace:{channel}"


def told(caller: str) -> str:
    return f"sms:told:{caller}"


def cap(channel: str, name: str) -> str:
    """Name the log of a recipient by a hash (see smsgate.routing.caps): a listing of keys shows no number."""
    return f"sms:cap:{channel}:{name}"


def reply(line: str) -> str:
    """Name a reply by everything that it says: what is pushed again says the same."""
    return f"sms:reply:{hashlib.sha256(line.encode()).hexdigest()}"


def stray(stray_id: str) -> str:
    return f"sms:stray:{stray_id}"
