"""Who is calling?"""

from http import HTTPStatus

from flask import Request

from smsgate.http.problems import Problem
from smsgate.ledger.api_keys import ApiKeys


def authenticate(request: Request, api_keys: ApiKeys) -> str:
    """Name the client whose key the request carries.

    Raises:
        Problem: There is no key, or it is not valid (401).
        StoreUnavailable: Redis is away, so that the key can be neither accepted nor refused.
    """
    return client_of(request.headers.get("Authorization", ""), api_keys)


def authenticate_operator(request: Request, api_keys: ApiKeys) -> str:
    """Name the client whose key the request carries, if it is an operator's.

    Raises:
        Problem: As `authenticate` says (401), or it is a key that only sends (403).
        StoreUnavailable: As above.
    """
    client = authenticate(request, api_keys)
    known = api_keys.known(request.headers["Authorization"].partition(" ")[2].strip())
    if known is None or not known.operator:
        detail = (
            "Authorization: this key may send, not operate; `smsgate keys create NAME --operator` makes one that may."
        )
        raise Problem(HTTPStatus.FORBIDDEN, "not-an-operator", detail)
    return client


def client_of(authorization: str, api_keys: ApiKeys) -> str:
    """Name the client by the header `Authorization`, as `authenticate` does."""
    scheme, _, key = authorization.partition(" ")
    client = api_keys.client_of(key.strip()) if scheme.lower() == "bearer" and key else None
    if client is None:
        detail = "Authorization: must be `Bearer KEY` with a valid key; `smsgate keys create NAME` makes one."
        raise Problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail)
    return client
