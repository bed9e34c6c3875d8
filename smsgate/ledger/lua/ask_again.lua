-- Ask about a message again later, if it is still there and still stands among those to be asked about.
--
-- KEYS  1 record  2 index
-- ARGV  1 id  2 when, Unix ms  3 how often it was asked about in vain
--
-- ZREM comes first: a full Redis refuses a script whose first write takes memory.
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('ZREM', KEYS[2], ARGV[1]) == 1 then
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
  redis.call('HSET', KEYS[1], 'asks', ARGV[3])
  return 1
end
return 0
