-- Put an entry that a worker has taken back onto its queue, unless it has been acknowledged.
--
-- KEYS  1 tags of what is unacknowledged, by time   2 what is unacknowledged, by tag   3 queue
-- ARGV  1 tag  2 entry  3 command: RPUSH to be the next to be taken, LPUSH to be the last
--       4 only if it was taken before this time, Unix s ('' always)
-- Returns 'gone', 'back', or 'full': it is back in a Redis that accepts no more.
--
-- Two who look for what is overdue see the same. What the first gives back is soon in somebody's hands again, under the
-- same tag: the second must not tear it out of them.
local taken_at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[4] ~= '' and taken_at and tonumber(taken_at) >= tonumber(ARGV[4]) then
  return 'gone'
end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 'gone'
end

-- As a first write it shows whether Redis is full; after a write that takes no memory it may go on.
local pushed = redis.pcall(ARGV[3], KEYS[3], ARGV[2])
local refused = type(pushed) == 'table' and pushed.err
if refused and not string.find(refused, 'OOM', 1, true) then
  return pushed
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
if refused then
  redis.call(ARGV[3], KEYS[3], ARGV[2])
  return 'full'
end
return 'back'
