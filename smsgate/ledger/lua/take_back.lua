-- Take back what was noted in recipients' logs for a call that surely did not send.
--
-- KEYS  1 what this caller was told last  2… logs
-- ARGV  1 number of this call  2 TTL of what was told, ms  3 when the messages were noted, Unix ms
--
-- One that is sent again (its answer was lost) takes nothing more back. See book.lua for what a log is.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return 0
end
-- First a write that takes no memory: a full Redis refuses a script that begins with another.
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local at, WIDTH = tonumber(ARGV[3]) - 1577836800000, 5
local bytes = string.char(math.floor(at / 4294967296), math.floor(at / 16777216) % 256, math.floor(at / 65536) % 256,
  math.floor(at / 256) % 256, at % 256)

for place = 2, #KEYS do
  local log = redis.call('GET', KEYS[place]) or ''
  for first = #log - WIDTH + 1, 1, -WIDTH do
    if string.sub(log, first, first + WIDTH - 1) == bytes then
      local left = string.sub(log, 1, first - 1) .. string.sub(log, first + WIDTH)
      if left == '' then
        redis.call('DEL', KEYS[place])
      else
        redis.call('SET', KEYS[place], left, 'KEEPTTL')
      end
      break
    end
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
