-- Hand what is due to a worker: queue its task and look again later, unless somebody was first or the queue is full.
--
-- Uses: queued
--
-- KEYS  1 index, by the Unix ms at which each entry is due  2 queue  3 tasks at the broker, by queue
-- ARGV  1 entry  2 the score that was seen  3 the score from now on, Unix ms  4 Celery message
--       5 most entries in the queue
-- Returns 'handed' | 'taken' | 'full'
--
-- What does not fit into the queue stays here and is due: a queue of tasks whose leases have run out would grow for ever.
if queued(KEYS[2], KEYS[3]) >= tonumber(ARGV[5]) then
  return 'full'
end
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then
  return 'taken'
end
-- ZREM comes first: a full Redis refuses a script whose first write takes memory, and what it has accepted must end.
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('LPUSH', KEYS[2], ARGV[4])
return 'handed'
