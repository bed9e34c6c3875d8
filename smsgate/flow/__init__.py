"""The road of a message, one step a file."""
