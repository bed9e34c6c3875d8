"""Kombu's broker of files, made safe for a reader that is faster than the writer.

Kombu's lists a message in its folder before it is written; a worker that takes it then reads nothing, and ends.
"""

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps

# Its stub lacks most of what is needed here.
kombu_files: Any = filesystem


class Channel(kombu_files.Channel):  # type: ignore[misc]
    """A channel whose messages appear whole."""

    def _put(self, queue: str, payload: Any, **_more: Any) -> None:
        folder = Path(self.data_folder_out)
        # A name of no queue, so that nobody takes it.
        hidden = folder / f"{uuid4()}.unwritten"
        hidden.write_text(dumps(payload), encoding="utf-8")
        hidden.replace(folder / f"{time.monotonic() * 1000:.0f}_{uuid4()}.{queue}.msg")


class Transport(kombu_files.Transport):  # type: ignore[misc]
    """Files, as our producers and workers reach them."""

    Channel = Channel
