-- Take from each queue of the outbox what has waited there for the longest, to hand it on to the broker. What somebody
-- took and did not say that it is handed on goes back first, to where it was.
--
-- KEYS  1 parcels  2… queues
-- ARGV  1 token of this parcel  2 for how long it is leased, ms  3 most entries of a queue  4 prefix of parcels
-- Returns queue and entry of each, in the order in which they go
--
-- A call that is sent again (its answer was lost) gets what it took the first time: what it took besides would be
-- forgotten with it, and published by nobody.
-- The clock is this Redis's own, so that it is the same to all. RPOP comes first: a full Redis refuses a script whose
-- first write takes memory.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local mine = redis.call('LRANGE', ARGV[4] .. ARGV[1], 0, -1)
if #mine > 0 then
  return mine
end

for _, token in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 10)) do
  redis.call('ZREM', KEYS[1], token)
  local left = redis.call('LRANGE', ARGV[4] .. token, 0, -1)
  redis.call('DEL', ARGV[4] .. token)
  for place = #left - 1, 1, -2 do
    redis.call('RPUSH', left[place], left[place + 1])
  end
end

local taken = {}
for place = 2, #KEYS do
  for _, entry in ipairs(redis.call('RPOP', KEYS[place], ARGV[3]) or {}) do
    taken[#taken + 1] = KEYS[place]
    taken[#taken + 1] = entry
  end
end
for start = 1, #taken, 1000 do
  redis.call('RPUSH', ARGV[4] .. ARGV[1], unpack(taken, start, math.min(start + 999, #taken)))
end
if #taken > 0 then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
end
return taken
