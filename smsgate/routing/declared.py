"""What everything that the configuration file declares has in common."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|\*)$")]
EVERYWHERE: Final = "*"


class Declared(BaseModel):
    """Anything that the configuration file declares: what it does not know it refuses, so that no slip goes unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
