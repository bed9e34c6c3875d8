-- Put an entry that a worker has taken back onto its queue, unless it has been acknowledged.
--
-- KEYS  1 tags of what is unacknowledged, by time   2 what is unacknowledged, by tag   3 queue
-- ARGV  1 tag  2 entry  3 command: RPUSH to be the next to be taken, LPUSH to be the last
-- Returns 'gone', 'back', or 'full': it is back in a Redis that accepts no more.
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
