-- Take back a record whose task could not be queued, unless a worker has begun with it: the task was queued after all.
--
-- KEYS  1 record  2 due  3 waiting in this lane
-- ARGV  1 id
local known = redis.call('HMGET', KEYS[1], 'state', 'attempts')
if known[1] ~= 'queued' or known[2] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
