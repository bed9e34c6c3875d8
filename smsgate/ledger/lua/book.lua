-- Book a slot of a channel for one call, and note its recipients where the provider's caps let them be written to.
--
-- Uses: pace
--
-- KEYS  1 pace of the channel  2 what this caller was told last  3… logs of recipients
-- ARGV  1 number of this call  2 calls a second that are declared ('' no slot is booked)  3 how far ahead, µs
--       4 TTL of the pace, ms  5 TTL of what was told, ms  6 how many sets of windows there are
--       7… each as 'MS PERMITS MS PERMITS …'  then, for each recipient, a string: a character for each of its logs, that
--       says which set (from '0')
-- Returns now in µs, the slot in µs (0 none was booked), in how many ms to come again (-1 no need to), cuts of the rate
-- until now, and of each recipient that is capped its index and when it may be written to, Unix ms.
--
-- Times are Redis's own, so that the clocks of workers do not matter. A call that is sent again (its answer was lost)
-- finds what it was told under its number. A recipient whose logs are not all free is noted in none; when nobody is left
-- to be written to, no slot is booked.
--
-- A log is a string of 5 bytes for each message, its time in ms since 2020, oldest first, of as many as its longest window
-- permits: a window is full when the last but so many is within it.
local pace, told, now = KEYS[1], KEYS[2], micros()
local SINCE, WIDTH = 1577836800000, 5

local last = redis.call('GET', told)
if last and string.match(last, '^%d+') == ARGV[1] then
  local before = {}
  for one in string.gmatch(last, '%-?%d+') do
    before[#before + 1] = tonumber(one)
  end
  before[1] = now
  return before
end

local function answer(slot, later, cuts, capped)
  redis.call('SET', told, table.concat({ ARGV[1], string.format('%.0f', slot), later, cuts, unpack(capped) }, ' '),
    'PX', ARGV[5])
  return { now, slot, later, cuts, unpack(capped) }
end

-- The slot. What is to be written of it waits until it is sure that it is wanted.
local declared, slot, cuts, booked = tonumber(ARGV[2]), now, 0, nil
local tenth, stamp
if declared then
  local known = redis.call('HMGET', pace, 'next', 'turn', unpack(CUT))
  local next_slot, cut = tonumber(known[1] or '0'), read_cut({ unpack(known, 3) })
  cuts = tonumber(known[6] or '0')
  local rate = effective(declared, cut, now, is_trying(cut, now) and accepted(pace, now) or 0)
  local gap, most = 1000000 / rate, ahead_of(cut, now, tonumber(ARGV[3]))
  if next_slot > now + gap + 60000000 then
    next_slot = now -- nobody books so far ahead: the clock of the Redis before this one was wrong
  end
  -- A hundredth of a second's calls may catch up, so that no second sees more than one hundredth too many.
  slot = math.ceil(math.max(now, next_slot - math.floor(rate * 0.01) * gap))
  -- First a write that takes no memory: a full Redis refuses a script that begins with another.
  redis.call('PEXPIRE', pace, ARGV[4])
  if slot > now + most then
    -- Those who are told to come again are told one time after another, as far as half a minute ahead.
    local turn = tonumber(known[2] or '0')
    turn = turn >= slot and turn < slot + 30000000 and turn + gap or slot
    redis.call('HSET', pace, 'turn', string.format('%.0f', turn))
    return answer(0, math.max(1, math.ceil((turn - most - now) / 1000)), cuts, {})
  end
  tenth, stamp = tenth_of(slot)
  booked = { 'next', string.format('%.0f', math.max(next_slot, now) + gap) }
  if tonumber(known[3] or '-1') ~= declared then
    booked[3], booked[4] = 'declared', ARGV[2]
  end
else
  redis.call('PEXPIRE', pace, ARGV[4])
end

local sets, first = {}, 7 + tonumber(ARGV[6])
for place = 7, first - 1 do
  local windows, longest, most = {}, 0, 0
  for ms, permits in string.gmatch(ARGV[place], '(%d+) (%d+)') do
    ms, permits = tonumber(ms), tonumber(permits)
    windows[#windows + 1] = { ms, permits }
    longest, most = math.max(longest, ms), math.max(most, permits)
  end
  sets[place - 7] = { windows = windows, longest = longest, keep = (most - 1) * WIDTH }
end

local function time_in(log, back)
  local a, b, c, d, e = string.byte(log, -WIDTH * back, -WIDTH * back + WIDTH - 1)
  return (((a * 256 + b) * 256 + c) * 256 + d) * 256 + e
end

-- When a log lets one more be written, ms since 2020.
local function free_at(log, windows)
  local free = 0
  for _, window in ipairs(windows) do
    if #log >= window[2] * WIDTH then
      free = math.max(free, time_in(log, window[2]) + window[1])
    end
  end
  return free
end

local function noted_in(log, set, at)
  if #log > 0 then
    at = math.max(at, time_in(log, 1))
  end
  local bytes = string.char(math.floor(at / 4294967296), math.floor(at / 16777216) % 256, math.floor(at / 65536) % 256,
    math.floor(at / 256) % 256, at % 256)
  return (set.keep > 0 and string.sub(log, -set.keep) or '') .. bytes
end

local at, capped, key, gone = math.ceil(slot / 1000) - SINCE, {}, 3, 0
for place = first, #ARGV do
  local logs, free = {}, 0
  for character = 1, #ARGV[place] do
    local set = sets[string.byte(ARGV[place], character) - 48]
    local log = redis.call('GET', KEYS[key]) or ''
    logs[character] = { KEYS[key], set, log }
    free = math.max(free, free_at(log, set.windows))
    key = key + 1
  end
  if free > at then
    capped[#capped + 1] = place - first
    capped[#capped + 1] = string.format('%.0f', free + SINCE)
  else
    gone = gone + 1
    for _, one in ipairs(logs) do
      local life = one[2].longest + at + SINCE - math.floor(now / 1000)
      redis.call('SET', one[1], noted_in(one[3], one[2], at), 'PX', string.format('%.0f', life))
    end
  end
end

if gone == 0 and #ARGV >= first then
  return answer(0, -1, cuts, capped)
end
if booked then
  local value = noted(redis.call('HGET', pace, tenth), stamp)
  booked[#booked + 1] = tenth
  booked[#booked + 1] = string.format('%.0f', stamp + value + BOOKED)
  redis.call('HSET', pace, unpack(booked))
end
return answer(slot, -1, cuts, capped)
