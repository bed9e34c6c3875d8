-- Put a mark into a lane's queue, and note when.
--
-- KEYS  1 queue  2 when the latest mark was put, by lane  3 marks put since one came out, by lane
-- ARGV  1 lane  2 now, Unix ms  3 Celery message
--
-- LTRIM comes first, and removes nothing: a full Redis refuses a script whose first write takes memory.
redis.call('LTRIM', KEYS[1], 0, -1)
redis.call('LPUSH', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZINCRBY', KEYS[3], 1, ARGV[1])
