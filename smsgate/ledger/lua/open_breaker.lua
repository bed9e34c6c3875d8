-- Open a breaker; one that is not closed stays as it is, except for an operator.
--
-- Uses: breaker
--
-- KEYS  1 breakers  2 probes of this one  3 events  4 turns
-- ARGV  1 its name  2 reason  3 detail  4 ms until it is probed
local name, state = ARGV[1], breaker_of(KEYS[1], ARGV[1])
local is_same = state.reason == ARGV[2] and state.detail == ARGV[3]
if is_same or (state.phase ~= 'closed' and ARGV[2] ~= 'by_hand') then
  return answer(state)
end
local open = {
  phase = 'open', reason = ARGV[2], detail = ARGV[3], since = now, ['until'] = now + tonumber(ARGV[4]), successes = 0,
}
redis.call('DEL', KEYS[2])
return answer(open, { turn(KEYS[1], KEYS[3], KEYS[4], name, state, open) })
