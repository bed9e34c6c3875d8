"""The proof of the gateway's promise: real processes, real kills, counted at the provider.

__main__      the command: `python -m tests.chaos`
scenarios     what is done to the gateway, one entry a scenario
rehearsal     one scenario from start to verdict
fleet         the gateway as processes
member        one of them, which may be killed and comes back
orders        what is to be sent: single messages, and batches
customers     who sends: threads that repeat a request until it is accepted
disturbers    who kills: threads that run during the drive
clock         a clock that jumps, for worker processes alone; clock_shim.c is its half in C
drain         waiting for the last message, and for the last late task
verdict       what was promised, held against what the provider has seen
tally         what a batch says of itself, held against its rows
table         the result, for a terminal and for docs/reliability.md
"""
