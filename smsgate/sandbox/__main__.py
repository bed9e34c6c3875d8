"""`python -m smsgate.sandbox`: serve with the settings of the environment."""

import asyncio
import logging
import sys

from pydantic import ValidationError

from smsgate.sandbox.listener import PortTaken
from smsgate.sandbox.server import serve
from smsgate.sandbox.settings import PREFIX, SandboxSettings


def main(arguments: list[str]) -> None:
    """Serve until a signal comes; `--until-stdin-closes` ends with the process that started this one."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    try:
        settings = SandboxSettings()
        asyncio.run(serve(settings, until_stdin_closes="--until-stdin-closes" in arguments))
    except ValidationError as failure:
        sys.exit("\n".join(f"{PREFIX}{_name(error['loc'])}: {error['msg']}" for error in failure.errors()))
    except PortTaken as taken:
        sys.exit(f"smsgate sandbox: {taken}")


def _name(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in (str(path[0]).upper(), *path[1:])) if path else ""


if __name__ == "__main__":
    main(sys.argv[1:])
