-- Note that the provider throttled a call, and cut the channel's rate where that call was booked since the latest cut.
--
-- Uses: pace
--
-- KEYS  1 pace of the channel  2 what this caller was told last
-- ARGV  1 number of this report  2 calls a second that are declared  3 slot of the call, µs ('0' not known)
--       4 cuts of the rate before it was booked  5 seconds that the provider named, or 0  6 TTL of the pace, ms
--       7 TTL of what was told, ms
-- Returns 1 where the rate was cut. A report that is sent again (its answer was lost) is counted once.
local pace, now = KEYS[1], micros()
if redis.call('GET', KEYS[2]) == ARGV[1] then
  return 0
end
redis.call('PEXPIRE', pace, ARGV[6])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[7])

local known = redis.call('HMGET', pace, unpack(CUT))
local cut, cuts = read_cut(known), tonumber(known[4] or '0')
local slot = tonumber(ARGV[3])
local is_known = slot > 0 and slot > now - 3000000
local at = is_known and slot or now
local tenth, stamp = tenth_of(at)
local value = noted(redis.call('HGET', pace, tenth), stamp)
-- No more are throttled than were booked.
if value % BOOKED < math.floor(value / BOOKED) then
  redis.call('HSET', pace, tenth, string.format('%.0f', stamp + value + 1))
end

-- All answers to calls of before the cut are one event with the one that led to it, however many there are; one whose slot
-- nobody knows any more counts so for a second.
if slot > 0 and tonumber(ARGV[4]) ~= cuts or slot == 0 and cut and age(cut, now) < 1 then
  return 0
end
local declared = tonumber(ARGV[2])
cut = cut_down(declared, cut, now, at, accepted(pace, at))
local held = now + hold(cut, tonumber(ARGV[5])) * 1000000
redis.call('HSET', pace, 'declared', ARGV[2], 'rate', string.format('%.17g', cut.rate), 'cut', string.format('%.0f', now),
  'cuts', cuts + 1, 'chain', cut.chain, 'sure', cut.sure and '1' or '0',
  'next', string.format('%.0f', math.max(held, tonumber(redis.call('HGET', pace, 'next') or '0'))))
return 1
