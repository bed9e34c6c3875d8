"""Celery's settings, each with its reason. Every smsgate process reads them: producers, workers, beat and Flower."""

from functools import partial as _partial

from celery.schedules import schedule as _schedule

from smsgate.broker.options import tls as _tls
from smsgate.broker.options import transport_options as _transport_options
from smsgate.queues import Queue, TaskName
from smsgate.settings import current as _current
from workers.steady import steady_now as _steady_now

_every = _partial(_schedule, nowfun=_steady_now)

broker_url = _current().broker
broker_connection_retry_on_startup = True  # a worker that starts before Redis waits for it

# For as long as it takes; Celery gives up after 100 tries, and the worker ends.
broker_connection_max_retries = None
# A Redis that answers with a refusal (a replica after a failover, a full disk) is tried again, like one that is away.
broker_channel_error_retry = True

# JSON only: a pickle from the broker would run whatever somebody wrote there.
accept_content = ["json"]
task_serializer = "json"
result_serializer = "json"
enable_utc = True

# A message's fate is in its record; results in Redis would be a second, poorer copy of it.
result_backend = None
task_ignore_result = True

imports = ["workers.tasks", "workers.chores", "workers.revoked", "workers.start"]
task_default_queue = Queue.NOTICE
task_create_missing_queues = True
task_routes = {
    TaskName.RECEIVE: {"queue": Queue.RECEIPTS},
    TaskName.ASK: {"queue": Queue.QUESTIONS},
    TaskName.WAKE: {"queue": Queue.CHORES},
    TaskName.GATHER: {"queue": Queue.CHORES},
    TaskName.DEGRADE: {"queue": Queue.CHORES},
    TaskName.WEIGH: {"queue": Queue.CHORES},
    TaskName.CANCEL_ROWS: {"queue": Queue.CHORES},
    TaskName.SWEEP: {"queue": Queue.CHORES},
    TaskName.CENSUS: {"queue": Queue.CHORES},
    TaskName.REQUEUE_PUSHES: {"queue": Queue.CHORES},
    TaskName.NOTIFY: {"queue": Queue.WEBHOOKS},
    TaskName.DISPATCH_WEBHOOKS: {"queue": Queue.CHORES},
    TaskName.HAND_ON: {"queue": Queue.CHORES},
    # Each goes by the queue that it marks (see smsgate/ledger/marks.py); this is for one that names none.
    TaskName.MARK: {"queue": Queue.CHORES},
}

# A task leaves the broker when it has ended, not when it begins: a killed worker's task comes again.
task_acks_late = True
# The same for a killed pool child. The second delivery finds the attempt begun and asks, it does not send again.
task_reject_on_worker_lost = True
# A failed task is acknowledged: what must come again is rejected by name (see workers/task.py).
task_acks_on_failure_or_timeout = True
# Prefetched tasks wait behind the one in hand, even where another worker is idle: take one for each child or thread.
worker_prefetch_multiplier = 1
# What is no task of ours is kept before it is acknowledged.
worker_consumer = "workers.consumer:Consumer"
# With True, a reconnect to Redis runs the task in hand twice.
worker_cancel_long_running_tasks_on_connection_loss = False

# Seconds, for pools of processes. Threads cannot be cut off: there the provider is given 13 (connect and read), or 28
# where it drips its answer (see smsgate/channels/aliyun/deadline.py), and Redis 15 (see connect_patiently).
task_soft_time_limit = 30
task_time_limit = 40
# On SIGTERM a worker takes no more tasks and ends those in hand, which the limits above bound: give it 45 s. With
# threads each task that it holds is in hand, as long as it takes no more of them than it has threads.
# On SIGQUIT, or a platform's REMAP_SIGTERM=SIGQUIT, it ends them within this time, and hands back what is left.
worker_soft_shutdown_timeout = 35

broker_transport_options = _transport_options(_current().broker)
broker_use_ssl = _tls(_current().broker, _current().broker_options)
broker_pool_limit = 10

# Workers report tasks once somebody asks them to, as Flower does while it runs: it costs each a sixth of its time.
worker_send_task_events = False
task_send_sent_event = False
# Our own handler writes JSON with numbers masked (see workers/logs.py).
worker_hijack_root_logger = False
worker_redirect_stdouts = False

# In memory: every chore is due again within a minute, and a file would keep a wrong clock's time over a restart.
beat_scheduler = "celery.beat:Scheduler"
# Where nobody takes them they do not pile up (see workers/chores.py). They do not expire: a worker whose clock is some
# seconds ahead of beat's would find each expired.
beat_schedule = {
    # Messages kept back, expired, uncertain or silent (see smsgate/flow/wake.py).
    "wake": {"task": TaskName.WAKE, "schedule": _every(1.0)},
    # Messages that leave together, whose wait is over (see smsgate/flow/gather.py). It costs three commands.
    "gather": {"task": TaskName.GATHER, "schedule": _every(0.5)},
    # How far the gateway is degraded (see smsgate/flow/degrade.py). It costs three commands.
    "degrade": {"task": TaskName.DEGRADE, "schedule": _every(1.0)},
    # Weights of channels (see smsgate/flow/weigh.py). It costs three commands.
    "weigh": {"task": TaskName.WEIGH, "schedule": _every(1.0)},
    # Messages whose task was lost (see smsgate/flow/sweep.py).
    "sweep": {"task": TaskName.SWEEP, "schedule": _every(5.0)},
    # Records that stand in no index (see smsgate/flow/census.py): a million in a day, at a hundredth of a core.
    "census": {"task": TaskName.CENSUS, "schedule": _every(60.0)},
    # Ends of messages that clients are to be told of (see smsgate/ledger/webhooks.py).
    "dispatch webhooks": {"task": TaskName.DISPATCH_WEBHOOKS, "schedule": _every(1.0)},
    # A push whose task was lost with its worker (see smsgate/ledger/pushes.py).
    "requeue pushes": {"task": TaskName.REQUEUE_PUSHES, "schedule": _every(60.0)},
}
if _current().has_own_broker:
    imports.append("workers.handing_on")
    # What those who accepted it have left in the outbox (see smsgate/flow/hand_on.py).
    beat_schedule["hand on"] = {"task": TaskName.HAND_ON, "schedule": _every(1.0)}
