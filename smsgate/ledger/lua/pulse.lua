-- Take in what a process has counted since its last pulse, open the breakers that this trips, and tell how all stand.
--
-- Uses: breaker
--
-- KEYS  1 breakers  2 channels paused  3 weights  4 events  5 turns  6 latest errors  7 calls since one went well
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

-- Count calls since one went well, in whichever process, for as long as the window is.
local function since_well(name, ok, failed, slow)
  local began = tonumber(redis.call('HGET', KEYS[7], name .. '|since') or second)
  if ok > 0 or began <= second - window then
    redis.call('HDEL', KEYS[7], name .. '|failed', name .. '|slow', name .. '|since')
  end
  if ok > 0 then
    return 0, 0
  end
  redis.call('HSETNX', KEYS[7], name .. '|since', second)
  return redis.call('HINCRBY', KEYS[7], name .. '|failed', failed),
    math.max(redis.call('HINCRBY', KEYS[7], name .. '|slow', slow), 0)
end

-- The rule, as BreakerRule.trips has it for a process by itself.
local function reason_in(ok, failed, slow, failed_since, slow_since)
  local total, share = ok + failed + slow, tonumber(ARGV[4])
  if failed_since + slow_since >= tonumber(ARGV[3]) then
    return failed_since >= share * (failed_since + slow_since) and 'failing' or 'slow_calls'
  end
  if total < tonumber(ARGV[3]) then
    return nil
  end
  return (failed >= share * total and 'failing') or (failed + slow >= share * total and 'slow_calls') or nil
end

local function trip(name, failed_since, slow_since)
  local state = breaker_of(KEYS[1], name)
  if state.phase ~= 'closed' then
    return
  end
  local ok, failed, slow = sum(name)
  local reason = reason_in(ok, failed, slow, failed_since, slow_since)
  if reason then
    if failed_since + slow_since >= tonumber(ARGV[3]) then
      ok, failed, slow = 0, failed_since, slow_since
    end
    local detail = string.format('%d of %d calls failed, %d were slow', failed, ok + failed + slow, slow)
    local open = {
      phase = 'open', reason = reason, detail = detail, since = now, ['until'] = now + tonumber(ARGV[5]), successes = 0,
    }
    events[#events + 1] = turn(KEYS[1], KEYS[4], KEYS[5], name, state, open)
  end
end

local slice = prefix .. second
for _ = 1, take() do
  local name = take()
  local ended = { ok = tonumber(take()), failed = tonumber(take()), slow = tonumber(take()) }
  for what, by in pairs(ended) do
    if by ~= 0 then
      redis.call('HINCRBY', slice, name .. '|' .. what, by)
    end
  end
  redis.call('EXPIRE', slice, window + 5)
  local failed_since, slow_since = since_well(name, ended.ok, ended.failed, ended.slow)
  redis.call('EXPIRE', KEYS[7], window + 5)
  if ended.failed ~= 0 or ended.slow ~= 0 then
    trip(name, failed_since, slow_since)
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
