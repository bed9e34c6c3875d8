-- Pause a batch, let it go on, or call it back.
--
-- KEYS  1 batch  2 groups
-- ARGV  1 the new status  2 now, Unix ms  3 prefix of the lane's lists  4 … the batch's groups
-- Returns 'steered' | 'missing' | 'cancelled', which is for good
local known = redis.call('HMGET', KEYS[1], 'status', 'not_before')
if not known[1] then
  return 'missing'
end
if known[1] == 'cancelled' and ARGV[1] ~= 'cancelled' then
  return 'cancelled'
end
redis.call('HSET', KEYS[1], 'status', ARGV[1])
for place = 4, #ARGV do
  if ARGV[1] == 'paused' or redis.call('EXISTS', ARGV[3] .. ARGV[place]) == 0 then
    redis.call('ZREM', KEYS[2], ARGV[place])
  else
    local at = ARGV[1] == 'open' and math.max(tonumber(ARGV[2]), tonumber(known[2] or '0')) or tonumber(ARGV[2])
    redis.call('ZADD', KEYS[2], string.format('%.0f', at), ARGV[place])
  end
end
return 'steered'
