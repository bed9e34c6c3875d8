-- Note how many tasks a broker of their own holds, in place of what was known.
--
-- KEYS  1 tasks at the broker, by queue
-- ARGV  1 TTL, s  2… queue and how many, of each that it lets be counted
--
-- DEL comes first: a full Redis refuses a script whose first write takes memory.
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
