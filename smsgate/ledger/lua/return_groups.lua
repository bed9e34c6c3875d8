-- Let the groups be taken again whose client and template are paused no more; the others go behind those not looked at.
--
-- Uses: group
--
-- KEYS  1 groups of paused clients and templates, by when they were last looked at  2 groups of the lane
--       3 paused clients and templates
-- ARGV  1 now, Unix ms  2 prefix of batches  3 most groups that are looked at
-- Returns how many may be taken again
local returned = 0
for _, group in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[3] - 1)) do
  -- ZREM comes first: a full Redis refuses a script whose first write takes memory.
  redis.call('ZREM', KEYS[1], group)
  if is_held(group, KEYS[3], ARGV[2]) then
    redis.call('ZADD', KEYS[1], ARGV[1], group)
  else
    redis.call('ZADD', KEYS[2], 'LT', ARGV[1], group)
    returned = returned + 1
  end
end
return returned
