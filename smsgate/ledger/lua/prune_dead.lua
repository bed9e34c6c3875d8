-- Take out of the dead letters what is none: its record's retention is over. One that has died meanwhile stays.
--
-- KEYS  1 dead letters  2… records
-- ARGV  1… their ids
for place, id in ipairs(ARGV) do
  if redis.call('HGET', KEYS[place + 1], 'state') ~= 'dead' then
    redis.call('ZREM', KEYS[1], id)
  end
end
return #ARGV
