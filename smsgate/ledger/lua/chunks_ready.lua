-- Count the chunks that a lane's groups have ready, as far as they are asked for. A group that is paused or empty goes.
--
-- Uses: group, queued
--
-- KEYS  1 groups of the lane  2 queue of the lane  3 tasks at the broker, by queue
-- ARGV  1 now, Unix ms  2 most entries in the queue  3 prefix of the lane's lists  4 prefix of batches
-- Returns how many tasks the queue should get
local room = tonumber(ARGV[2]) - queued(KEYS[2], KEYS[3])
local ready = 0
if room <= 0 then
  return 0
end
for _, group in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, room)) do
  local batch, size = about(group)
  local waiting = redis.call('LLEN', ARGV[3] .. group)
  if waiting == 0 or (batch ~= '' and redis.call('HGET', ARGV[4] .. batch, 'status') == 'paused') then
    redis.call('ZREM', KEYS[1], group)
  else
    ready = ready + math.ceil(waiting / size)
  end
end
return math.min(room, ready)
