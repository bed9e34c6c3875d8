-- Say where a queued message waits: in its lane's queue, until a time, or parked; unless it has moved on meanwhile.
--
-- Uses: group
--
-- KEYS  1 record  2 due  3 waiting in this lane  4 parked in this lane  5 queue, or list of its group  6 groups
-- ARGV  1 id  2 the index in which its score must be the one seen: '' | 'due' | 'waiting' | 'parked'  3 that score
--       4 when to look after it, Unix ms  5 since when it is in the queue, Unix ms ('' it is not)
--       6 since when it is parked, Unix ms ('' it is not)  7 entry for KEYS[5] ('' none)
--       8 its group ('' it is a task)  9 now, Unix ms  10 TTL of a group, s  11… fields and values to set
-- Returns 'placed' | 'changed' (somebody was faster) | 'gone' (it is not queued any more, and is out of the index)
local id = ARGV[1]
local indexes = { due = KEYS[2], waiting = KEYS[3], parked = KEYS[4] }

if redis.call('HGET', KEYS[1], 'state') ~= 'queued' then
  redis.call('ZREM', KEYS[3], id)
  redis.call('ZREM', KEYS[4], id)
  return 'gone'
end
if ARGV[2] ~= '' then
  local score = redis.call('ZSCORE', indexes[ARGV[2]], id)
  if not score or tonumber(score) ~= tonumber(ARGV[3]) then
    return 'changed'
  end
end

-- ZREM comes first: a full Redis refuses a script whose first write takes memory, and what it has accepted must end.
for index = 2, 4 do
  redis.call('ZREM', KEYS[index], id)
end
redis.call('ZADD', KEYS[2], ARGV[4], id)
if ARGV[5] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[5], id)
end
if ARGV[6] ~= '' then
  redis.call('ZADD', KEYS[4], ARGV[6], id)
end
if #ARGV > 10 then
  redis.call('HSET', KEYS[1], unpack(ARGV, 11))
end
if ARGV[8] ~= '' then
  join_group(KEYS[6], KEYS[5], ARGV[8], ARGV[7], tonumber(ARGV[9]), ARGV[10])
elseif ARGV[7] ~= '' then
  redis.call('LPUSH', KEYS[5], ARGV[7])
end
return 'placed'
