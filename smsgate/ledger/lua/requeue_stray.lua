-- Put a stray's entry back onto its queue and forget the stray, both or neither.
--
-- KEYS  1 stray   2 strays, by time   3 queue
-- ARGV  1 id  2 entry
-- Returns 1, or 0 when the stray is not there any more.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('LPUSH', KEYS[3], ARGV[2])
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
