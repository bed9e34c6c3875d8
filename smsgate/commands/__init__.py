"""The groups of the `smsgate` command, one a file."""
