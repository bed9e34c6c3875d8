-- Put a message into the index in which its state belongs, and out of all others; one that stands there stays as it is.
--
-- KEYS  1 record  2 dead letters  3 uncertain  4 silent  5… the lanes' due sets
-- ARGV  1 id  2 now, Unix ms: when to look after what stood nowhere  3 prefix of the lanes' due sets
-- Returns 1 where it had to be put in, else 0
local known = redis.call('HMGET', KEYS[1], 'state', 'lane')
local state, id = known[1], ARGV[1]
local due = ARGV[3] .. (known[2] or 'notice')
local belongs = { queued = due, sending = due, uncertain = KEYS[3], sent = KEYS[4], dead = KEYS[2] }
local where = belongs[state or '']

for index = 2, #KEYS do
  if KEYS[index] ~= where then
    redis.call('ZREM', KEYS[index], id)
  end
end
if where then
  return redis.call('ZADD', where, 'NX', ARGV[2], id)
end
return 0
