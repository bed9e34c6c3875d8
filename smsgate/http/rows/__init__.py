"""The rows of a batch as they come over the wire, a format a file; none holds more than a row or two in memory."""
