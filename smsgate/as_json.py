"""A setting that is written as JSON."""

import json
from typing import Final

from pydantic import BeforeValidator
from pydantic_settings import NoDecode


def _decoded(written: object) -> object:
    try:
        return json.loads(written) if isinstance(written, str) else written
    except ValueError:
        raise ValueError("is not JSON; write an object, with names and text in double quotes") from None


# pydantic-settings itself gives up at the first one that is no JSON, before it looks at the others.
AS_JSON: Final = (NoDecode, BeforeValidator(_decoded))
