-- Store a provider's push as it came and queue the task that will apply it, both or neither.
--
-- KEYS  1 push  2 pushes waiting, by time  3 queue
-- ARGV  1 push id  2 raw body  3 kind  4 TTL, s  5 now, Unix s  6 Celery message
redis.call('HSET', KEYS[1], 'kind', ARGV[3], 'body', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[1])
redis.call('LPUSH', KEYS[3], ARGV[6])
return 1
