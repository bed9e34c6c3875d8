"""A Lua script that is called often: over redis-py's own connections, past its general-purpose client.

redis-py takes 100 µs of CPU for a call of 35 arguments, half of them in its pool (which looks at each connection before
it lends it out), in packing and in measuring itself; this takes 45. Time limits, tries, TLS and credentials are those
of the client that it was built from, because its connections are.
"""

from collections.abc import Sequence
from operator import methodcaller
from typing import Any, Final

import redis
from hiredis import pack_command
from redis.exceptions import NoScriptError

from smsgate.ledger import scripts
from smsgate.ledger.idle import Idle

_READ: Final = methodcaller("read_response")


class Act:
    """One script, for any number of threads."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        """Take a client, and the name of a file in `lua`."""
        self._script = client.register_script(scripts.source(name))
        self._connections = Idle(client)

    def __call__(self, keys: Sequence[str], args: Sequence[str | int]) -> Any:
        """Run the script.

        Raises:
            redis.RedisError: As redis-py raises it, after as many tries as the client makes.
        """
        command = pack_command(("EVALSHA", self._script.sha, len(keys), *keys, *args))  # type: ignore[arg-type]  # its stub takes one element only
        try:
            return self._connections.exchange(command, _READ)
        except NoScriptError:
            # A Redis that was restarted or failed over; the slow way brings it the script.
            return self._script(keys, args)
