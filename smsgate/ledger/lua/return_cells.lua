-- Give back what a cell counter (GCRA) let through: the moment by which all has come back lies that much earlier.
--
-- KEYS  1 counter
-- ARGV  1 seconds
-- Returns what is there afterwards, or nothing where all had come back already
local back = redis.call('GET', KEYS[1])
if back then
  redis.call('SET', KEYS[1], string.format('%.17g', tonumber(back) - tonumber(ARGV[1])), 'KEEPTTL')
end
return redis.call('GET', KEYS[1])
