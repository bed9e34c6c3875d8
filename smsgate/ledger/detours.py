"""Attempts that go on by another channel than they began by."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

import redis

from smsgate.ledger import keys
from smsgate.ledger.act import Act
from smsgate.ledger.connection import border
from smsgate.ledger.turns import in_turn, slices
from smsgate.message import Lane, MessageId


class Detours:
    """The attempts under way in one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._switch = Act(client, "switch")

    def switch(  # noqa: PLR0913 - an event says what, when and why
        self,
        lane: Lane,
        attempts: Sequence[tuple[MessageId, int]],
        channel: str,
        *,
        at: int,
        lease: int,
        detail: Mapping[str, str],
    ) -> frozenset[MessageId]:
        """Note the channel by which attempts go on, each a message and its attempt's number; `detail` says why.

        Returns the messages whose attempt it still is: the others are in other hands, and must not be sent. `at` and
        `lease`, until when nobody else may take an attempt for lost, in Unix milliseconds.

        Raises:
            StoreUnavailable: Some may have been noted; the same call may be made again.
        """
        said = json.dumps({"channel": channel, **detail}, separators=(",", ":"))
        beyond = f",{said[1:-1]}"
        still: list[str] = []
        for some in slices(attempts):
            flat = [part for message_id, number in some for part in (message_id, number)]
            with border(), in_turn():
                still += cast(
                    "list[str]", self._switch([keys.due(lane)], [keys.RECORD_OF, channel, lease, at, beyond, *flat])
                )
        return frozenset(map(MessageId, still))
