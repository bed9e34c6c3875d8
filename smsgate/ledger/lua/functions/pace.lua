-- A channel's pace is a hash: `next` (the next slot, Unix µs), `turn` (when the next who is told to come again should
-- have a slot), `declared` (calls a second), what is known of the latest cut (`rate`, `cut` in µs, `cuts`, `chain`,
-- `sure`), and by tenths of a second, 0 to 63 in a ring, what was booked and throttled: one number that says in its digits
-- the tenth (from the left), the calls booked (five digits) and those of them throttled (five).
--
-- The formula is that of smsgate/routing/pacing.py, where its numbers are explained.
local CUT = { 'declared', 'rate', 'cut', 'cuts', 'chain', 'sure' }
local TENTH, RING, STAMP, BOOKED = 100000, 64, 1e10, 1e5

local function micros()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Which of the ring's fields a moment belongs to, and what a number in it begins with.
local function tenth_of(at)
  local tenth = math.floor(at / TENTH)
  return tenth % RING, tenth % 262144 * STAMP
end

-- What is noted of a tenth of a second, 0 where the field still holds an older one.
local function noted(field, stamp)
  local value = tonumber(field or '0') - stamp
  return value >= 0 and value < STAMP and value or 0
end

-- How many calls were accepted in the second before a moment.
local function accepted(pace, at)
  local fields, stamps = {}, {}
  for back = 0, 10 do
    fields[back + 1], stamps[back + 1] = tenth_of(at - back * TENTH)
  end
  local sum = 0
  for place, field in ipairs(redis.call('HMGET', pace, unpack(fields))) do
    local value = noted(field, stamps[place])
    local share = place == 11 and 1 - at % TENTH / TENTH or 1
    sum = sum + share * (math.floor(value / BOOKED) - value % BOOKED)
  end
  return sum
end

local function read_cut(fields)
  return fields[3] and { rate = tonumber(fields[2]), at = tonumber(fields[3]), chain = tonumber(fields[5]),
    sure = fields[6] == '1' }
end

local function age(cut, now)
  return (now - cut.at) / 1000000
end

-- Whether it matters how much is used: not while a cut rests, nor without one.
local function is_trying(cut, now)
  return cut and age(cut, now) > (cut.sure and 8 or 1) and age(cut, now) < 600
end

-- The rate at which the channel may be called now; `used` is what was accepted in the last second.
local function effective(declared, cut, now, used)
  if not cut or age(cut, now) >= 600 then
    return declared
  end
  local tried = math.max(0, age(cut, now) - (cut.sure and 8 or 1))
  local steps = cut.sure and 8e-5 * tried ^ 3 or 0.2 * tried
  return math.min(declared, cut.rate * math.exp(math.min(50, steps)), math.max(cut.rate, 2 * used))
end

local function cut_down(declared, cut, now, slot, taken)
  local before = effective(declared, cut, slot, taken)
  local rate = math.max(0.97 * math.min(before, taken), math.min(1, declared))
  local chain = cut and age(cut, now) < 1 and cut.chain + 1 or 0
  return { rate = rate, at = now, chain = chain, sure = taken >= 0.8 * before }
end

-- Seconds from a cut for which nothing is called; `wait` is what the provider named, or 0.
local function hold(cut, wait)
  return math.max(math.min(0.4, 0.05 * 2 ^ cut.chain), math.min(30, wait))
end

-- µs that a slot may be booked ahead.
local function ahead_of(cut, now, most)
  return cut and age(cut, now) < 1.5 and math.min(most, 50000) or most
end
