"""The HTTP side: authenticate, validate, submit, answer; it never decides and never sends."""
