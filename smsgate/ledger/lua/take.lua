-- Begin with a task: read the record, and count how often the task was delivered again since its last attempt began.
--
-- KEYS  1 record  2 deliveries of a task that has no record
-- ARGV  1 '1' when this is a redelivery  2 TTL of the count, s
-- Returns {deliveries again, the record's fields and values (none where there is no record)}
local fields = redis.call('HGETALL', KEYS[1])
local again = 0
if ARGV[1] == '1' then
  if #fields > 0 then
    -- EXPIRE comes first, and changes nothing: a full Redis refuses a script whose first write takes memory.
    redis.call('EXPIRE', KEYS[1], redis.call('TTL', KEYS[1]))
    again = redis.call('HINCRBY', KEYS[1], 'redelivered', 1)
  else
    again = redis.call('INCR', KEYS[2])
    redis.call('EXPIRE', KEYS[2], ARGV[2])
  end
end
return { again, fields }
