-- Close a breaker for an operator, and begin to count anew.
--
-- Uses: breaker
--
-- KEYS  1 breakers  2 probes of this one  3 events  4 turns
-- ARGV  1 its name  2 prefix of slices of calls  3 seconds of the window
local name, state = ARGV[1], breaker_of(KEYS[1], ARGV[1])
local closed = { phase = 'closed' }
clear_window(ARGV[2], tonumber(ARGV[3]), name)
if state.phase == 'closed' then
  return answer(closed)
end
redis.call('DEL', KEYS[2])
return answer(closed, { turn(KEYS[1], KEYS[3], KEYS[4], name, state, closed) })
