"""A broker that is not the Redis of the records: how it is reached, and how messages are put into it."""
