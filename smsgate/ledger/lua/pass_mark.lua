-- Note that a mark has come out of its queue. The latest counts, as they may come out in another order.
--
-- KEYS  1 marks put since one came out, by lane  2 when the latest was put that has come out, by lane
-- ARGV  1 lane  2 when this one was put, Unix ms  3 the latest time that is believed, Unix ms
--
-- One from the future, of a clock that was wrong for a while, says nothing, and must not hide those that are right. ZREM
-- comes first: a full Redis refuses a script whose first write takes memory.
redis.call('ZREM', KEYS[1], ARGV[1])
local at, latest = tonumber(ARGV[2]), tonumber(ARGV[3])
local known = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or '0')
if at <= latest and (at > known or known > latest) then
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
end
