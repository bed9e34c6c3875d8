-- Note which entry a worker has taken off a queue, in the two keys in which Celery's workers look for it.
--
-- KEYS  1 tags of what is unacknowledged, by time   2 what is unacknowledged, by tag
-- ARGV  1 tag  2 now, Unix s  3 entry
--
-- ZREM comes first: a full Redis refuses a script whose first write takes memory, and lets one go on that has begun
-- to write. The entry has left its queue already: refused here, it would be in nobody's hands.
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1
