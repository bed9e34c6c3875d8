-- Push tasks onto a queue, also in a full Redis: what it has accepted must come to its end, or nothing makes room again.
--
-- KEYS  1 queue
-- ARGV  1… Celery messages
--
-- LTRIM comes first, and removes nothing: a full Redis refuses a script whose first write takes memory.
redis.call('LTRIM', KEYS[1], 0, -1)
return redis.call('LPUSH', KEYS[1], unpack(ARGV))
