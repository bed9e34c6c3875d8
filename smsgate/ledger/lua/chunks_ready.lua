-- Count the chunks that a lane's groups have ready, as far as they are asked for. A group that is paused or empty goes.
--
-- Uses: group, queued
--
-- KEYS  1 groups of the lane  2 queue of the lane  3 tasks at the broker, by queue  4 says that some were queued ahead
--       5 paused clients and templates  6 groups of those, by when they were last looked at
-- ARGV  1 now, Unix ms  2 most entries in the queue  3 prefix of the lane's lists  4 prefix of batches
--       5 most tasks in a queue that is full of others  6 for how long those are waited for, s  7 name of the task
-- Returns how many tasks the queue should get
--
-- Messages that leave by themselves may fill the queue for hours. Those that gather get a few tasks among them all the
-- same, and the next few when one of those has been worked off: so neither starves, and the queue grows by little where
-- nobody works.
local room, ready = tonumber(ARGV[2]) - queued(KEYS[2], KEYS[3]), 0
local is_full = room <= 0
if is_full then
  if redis.call('EXISTS', KEYS[4]) == 1 then
    return 0
  end
  room = tonumber(ARGV[5])
  for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, ARGV[2] - 1)) do
    room = room - (string.find(entry, '"' .. ARGV[7] .. '"', 1, true) and 1 or 0)
  end
end
if room <= 0 then
  return 0
end
for _, group in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, room)) do
  local batch, size = about(group)
  local waiting = redis.call('LLEN', ARGV[3] .. group)
  local status = batch ~= '' and redis.call('HGET', ARGV[4] .. batch, 'status')
  if waiting == 0 or status == 'paused' then
    redis.call('ZREM', KEYS[1], group)
  elseif status ~= 'cancelled' and is_held(group, KEYS[5], ARGV[4]) then
    redis.call('ZREM', KEYS[1], group)
    redis.call('ZADD', KEYS[6], ARGV[1], group)
  else
    ready = ready + math.ceil(waiting / size)
  end
end
if is_full and ready > 0 then
  -- The first write: a full Redis refuses a script that begins with one that takes memory.
  redis.call('DEL', KEYS[4])
  redis.call('SET', KEYS[4], '', 'EX', ARGV[6])
end
return math.min(room, ready)
