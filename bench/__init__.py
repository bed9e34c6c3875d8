"""`python -m bench`: what the gateway does in a second, beside what people would use instead."""
