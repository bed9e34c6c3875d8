-- Let a lane go on, if it is paused, and where a pause is given paused by that very one.
--
-- KEYS  1 pauses  2 the lane's probe
-- ARGV  1 lane  2 the pause, as it is stored ('' for any)
local pause = redis.call('HGET', KEYS[1], ARGV[1])
if not pause or (ARGV[2] ~= '' and pause ~= ARGV[2]) then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
