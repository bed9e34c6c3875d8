-- A channel's breakers stand in a hash by their names, CHANNEL|OPERATION, as JSON; one that is not there is closed. Times
-- are Redis's own, in ms, so that hosts need not agree on theirs. An act answers with {Redis's time in µs, …}, which puts
-- answers in order.
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)

local function breaker_of(breakers, name)
  local line = redis.call('HGET', breakers, name)
  return line and cjson.decode(line) or { phase = 'closed' }
end

-- Put a breaker into another state and tell of it: in the list of the latest events, and in counts that only grow.
-- Returns the event as JSON.
local function turn(breakers, log, turns, name, from, to)
  if to.phase == 'closed' then
    redis.call('HDEL', breakers, name)
  else
    redis.call('HSET', breakers, name, cjson.encode(to))
  end
  local channel, operation = string.match(name, '^([^|]*)|(.*)$')
  local event = cjson.encode({
    at = now, channel = channel, operation = operation, before = from.phase, after = to.phase,
    reason = to.reason or from.reason, detail = to.detail or from.detail, was = from.reason,
  })
  redis.call('LPUSH', log, event)
  redis.call('LTRIM', log, 0, 99)
  redis.call('HINCRBY', turns, name .. '|' .. to.phase, 1)
  return event
end

-- Begin to count anew: what was counted before a breaker closed must not open it again.
local function clear_window(prefix, window, name)
  local second = math.floor(now / 1000)
  redis.call('HDEL', prefix .. 'since_well', name .. '|failed', name .. '|slow', name .. '|since')
  for back = 0, window do
    redis.call('HDEL', prefix .. (second - back), name .. '|ok', name .. '|failed', name .. '|slow')
  end
end

-- An act's answer: {µs, the breaker as JSON, events, is a probe granted, until when or when to ask again}.
local function answer(state, events, granted, till)
  return { string.format('%.0f', now_us), cjson.encode(state), events or {}, granted or 0, till or 0 }
end
