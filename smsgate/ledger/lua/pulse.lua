-- Take in what a process has counted since its last pulse, open the breakers that this trips, and tell how all stand.
--
-- Uses: breaker
--
-- KEYS  1 breakers  2 channels paused  3 weights  4 events  5 turns  6 latest errors
-- ARGV  1 prefix of slices of calls  2 seconds of the window  3 least calls  4 share  5 ms until an open one is probed
--       6 prefix of slices of health  7 seconds in one  8 seconds for which they are kept
--       9… how many breakers, and for each: name, calls that ended well, failed, were slow
--        … how many errors, and for each: channel, what it was
--        … slices of health up to the end, for each: its number ('' the present one), how many counts, and for each: field, by
-- Returns {µs, breakers, paused, weights (hashes), events}
local prefix, window, events = ARGV[1], tonumber(ARGV[2]), {}
local second = math.floor(now / 1000)
local position = 9
local function take()
  position = position + 1
  return ARGV[position - 1]
end

local function sum(name)
  local ok, failed, slow = 0, 0, 0
  for back = 0, window - 1 do
    local slice = redis.call('HMGET', prefix .. (second - back), name .. '|ok', name .. '|failed', name .. '|slow')
    ok, failed, slow = ok + (slice[1] or 0), failed + (slice[2] or 0), slow + (slice[3] or 0)
  end
  -- A call that was slow in flight and failed is taken out of the slow, perhaps after its slice has left the window.
  return ok, failed, math.max(slow, 0)
end

-- The rule, as BreakerRule.trips has it for a process by itself.
local function reason_in(ok, failed, slow)
  local total, share = ok + failed + slow, tonumber(ARGV[4])
  if total < tonumber(ARGV[3]) then
    return nil
  end
  return (failed >= share * total and 'failing') or (failed + slow >= share * total and 'slow_calls') or nil
end

local function trip(name)
  local state = breaker_of(KEYS[1], name)
  if state.phase ~= 'closed' then
    return
  end
  local ok, failed, slow = sum(name)
  local reason = reason_in(ok, failed, slow)
  if reason then
    local detail = string.format('%d of %d calls failed, %d were slow', failed, ok + failed + slow, slow)
    local open = {
      phase = 'open', reason = reason, detail = detail, since = now, ['until'] = now + tonumber(ARGV[5]), successes = 0,
    }
    events[#events + 1] = turn(KEYS[1], KEYS[4], KEYS[5], name, state, open)
  end
end

local slice = prefix .. second
for _ = 1, take() do
  local name, is_bad = take(), false
  for number, what in ipairs({ '|ok', '|failed', '|slow' }) do
    local by = take()
    if by ~= '0' then
      redis.call('HINCRBY', slice, name .. what, by)
      is_bad = is_bad or number > 1
    end
  end
  redis.call('EXPIRE', slice, window + 5)
  if is_bad then
    trip(name)
  end
end
for _ = 1, take() do
  redis.call('HSET', KEYS[6], take(), take())
end

local seconds, kept = tonumber(ARGV[7]), tonumber(ARGV[8])
while position <= #ARGV do
  local number = tonumber(take()) or math.floor(second / seconds)
  local health = ARGV[6] .. number
  for _ = 1, take() do
    redis.call('HINCRBY', health, take(), take())
  end
  -- From its own time, not from now: a late receipt must not keep an old slice.
  redis.call('EXPIREAT', health, number * seconds + kept)
end

return {
  string.format('%.0f', now_us), redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]),
  redis.call('HGETALL', KEYS[3]), events,
}
