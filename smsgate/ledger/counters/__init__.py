"""The ways in which a limit counts, one a file."""
