-- Forget a parcel that was handed on, and put back what was not, to where it was.
--
-- KEYS  1 parcels  2 parcel  3 how many tasks the broker holds, by queue
-- ARGV  1 token of the parcel  2 TTL of KEYS[3], s
--       3… places of those that were not, counted from 1; with a minus those that the broker refuses, which go behind
--       all others, so that they hold up none
-- Returns 1, or 0 when its lease was over and all of it has gone back already
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  return 0
end
local entries = redis.call('LRANGE', KEYS[2], 0, -1)
redis.call('DEL', KEYS[2])

local stays, last, handed = {}, {}, {}
for number = 3, #ARGV do
  local place = tonumber(ARGV[number])
  stays[place], last[-place] = true, true
end
for place = #entries / 2, 1, -1 do
  local queue = entries[2 * place - 1]
  if stays[place] then
    redis.call('RPUSH', queue, entries[2 * place])
  elseif last[place] then
    redis.call('LPUSH', queue, entries[2 * place])
  else
    handed[queue] = (handed[queue] or 0) + 1
  end
end
for queue, count in pairs(handed) do
  redis.call('HINCRBY', KEYS[3], queue, count)
end
if redis.call('TTL', KEYS[3]) < 0 then
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
return 1
