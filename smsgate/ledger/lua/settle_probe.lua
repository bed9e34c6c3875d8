-- Draw the lesson of a probe: enough that went well close the breaker, one that failed opens it again.
--
-- Uses: breaker
--
-- KEYS  1 breakers  2 probes of this one  3 events  4 turns
-- ARGV  1 its name  2 token of the probe  3 'ok' | 'failed' | '' (it proved nothing, or was not made)
--       4 reason for which it failed  5 detail  6 ms until the next probe  7 successes that close it
--       8 prefix of slices of calls  9 seconds of the window
-- One whose lease has ended proves nothing any more: others are under way for it.
local name, state = ARGV[1], breaker_of(KEYS[1], ARGV[1])
if redis.call('ZREM', KEYS[2], ARGV[2]) == 0 or state.phase ~= 'half-open' or ARGV[3] == '' then
  return answer(state)
end
if ARGV[3] == 'failed' then
  local open = {
    phase = 'open', reason = ARGV[4], detail = ARGV[5], since = now, ['until'] = now + tonumber(ARGV[6]), successes = 0,
  }
  redis.call('DEL', KEYS[2])
  return answer(open, { turn(KEYS[1], KEYS[3], KEYS[4], name, state, open) })
end

state.successes = state.successes + 1
if state.successes < tonumber(ARGV[7]) then
  redis.call('HSET', KEYS[1], name, cjson.encode(state))
  return answer(state)
end
redis.call('DEL', KEYS[2])
clear_window(ARGV[8], tonumber(ARGV[9]), name)
local closed = { phase = 'closed' }
return answer(closed, { turn(KEYS[1], KEYS[3], KEYS[4], name, state, closed) })
