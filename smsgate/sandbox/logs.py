"""The HTTP server's own log, without what came over the wire."""

import logging
import traceback
from typing import Final

HTTP: Final = "smsgate.sandbox.http"


class WithoutText(logging.Filter):
    """Keep an error's kind and where it was raised, not its text: aiohttp quotes the bytes it could not parse."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            record.msg = f"{record.getMessage()}: {kind.__name__}\n{''.join(traceback.format_tb(trace))}".rstrip()
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def http_logger() -> logging.Logger:
    """Make the logger that the HTTP server writes to."""
    logger = logging.getLogger(HTTP)
    if not any(isinstance(each, WithoutText) for each in logger.filters):
        logger.addFilter(WithoutText())
    return logger
