-- Store what came out of a queue and is no message of ours, and let go of the oldest where there are too many.
--
-- KEYS  1 stray   2 strays, by time
-- ARGV  1 id  2 at, Unix ms  3 TTL, s  4 most strays  5 prefix of the keys of strays  6… fields and values
-- Returns how many old ones were let go to keep the number.
--
-- Removing comes first: a full Redis refuses a script whose first write takes memory, and lets one go on that has
-- begun to write. What is stored here has just left a queue, so Redis grows by little.
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[2] - ARGV[3] * 1000)

redis.call('HSET', KEYS[1], unpack(ARGV, 6))
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])

local surplus = redis.call('ZCARD', KEYS[2]) - ARGV[4]
if surplus <= 0 then
  return 0
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, surplus - 1)) do
  redis.call('DEL', ARGV[5] .. id)
  redis.call('ZREM', KEYS[2], id)
end
return surplus
