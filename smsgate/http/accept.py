"""Take one message and say so: the same for either way in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smsgate.flow.submit import Submit
from smsgate.http.limits import told
from smsgate.ledger.records import Records
from smsgate.message import Message, MessageId
from smsgate.states import State

PATH = "/v1/messages"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a message that was accepted."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Accept:
    """Accept messages for clients."""

    submit: Submit
    records: Records

    def __call__(self, fields: Mapping[str, Any], client: str, idempotency_key: str | None) -> Accepted:
        """Accept one message.

        Raises:
            InvalidMessage: A field breaks a rule.
            IdempotencyConflict: The key came with another message before.
            Degraded: The gateway is degraded and takes no messages of this lane.
            LimitExceeded: A limit lets no more through.
            StoreUnavailable: As `Submit` says.
        """
        message = Message.check(fields)
        submitted = self.submit(message, client=client, idempotency_key=idempotency_key)
        headers = {"Location": f"{PATH}/{submitted.id}", **told(submitted.standings)}
        state = State.QUEUED
        if submitted.replayed:
            headers["Idempotency-Replayed"] = "true"
            known = self.records.read(submitted.id)
            state = known.state if known else state
        return Accepted(_body(submitted.id, state, message), headers)


def _body(message_id: MessageId, state: State, message: Message) -> dict[str, Any]:
    known = {
        "id": message_id,
        "state": state,
        "to": message.to.masked,
        "template": message.template,
        "lane": message.lane,
        "valid_for": message.seconds_valid,
        "reference": message.reference,
    }
    return {name: value for name, value in known.items() if value is not None}
