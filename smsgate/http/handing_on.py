"""Hand on to a broker of its own what a request has queued, before it is answered."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from smsgate.flow.hand_on import HandOn

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Requests of this kind queue nothing, except as a provider makes them.
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CALLBACKS: Final = "/callbacks/"


class HandingOn:
    """The WSGI application round ours."""

    def __init__(self, app: "WSGIApplication", hand_on: HandOn) -> None:
        """Stand before `app`."""
        self._app = app
        self._hand_on = hand_on

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = self._app(environ, start_response)
        if environ["REQUEST_METHOD"] not in _READING or environ["PATH_INFO"].startswith(_CALLBACKS):
            # What was accepted is accepted, whatever the broker does.
            self._hand_on.at_once()
        return answer
