-- Lease a webhook that is due and queue its task, unless another dispatcher was first or the queue is full.
--
-- KEYS  1 webhooks, by the Unix ms at which they are due  2 queue
-- ARGV  1 message id  2 the score that was seen  3 the lease's end, Unix ms: the new score  4 Celery message
--       5 most entries in the queue
-- Returns 'leased' | 'taken' | 'full'
--
-- What does not fit into the queue stays here and is due: a queue of tasks whose leases have run out would grow for ever.
if redis.call('LLEN', KEYS[2]) >= tonumber(ARGV[5]) then
  return 'full'
end
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then
  return 'taken'
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('LPUSH', KEYS[2], ARGV[4])
return 'leased'
