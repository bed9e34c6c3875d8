-- Let one more call through a breaker that is not closed, if it is time and not too many are under way: over all processes.
--
-- Uses: breaker
--
-- KEYS  1 breakers  2 probes of this one: tokens, by when their leases end  3 events  4 turns
-- ARGV  1 its name  2 token of the probe  3 lease, ms  4 most probes at a time  5 ms after which to ask again at the latest
local name, state = ARGV[1], breaker_of(KEYS[1], ARGV[1])
local again = now + tonumber(ARGV[5])
if state.phase == 'closed' then
  return answer(state)
end
if state.reason == 'by_hand' then
  return answer(state, {}, 0, again)
end
if state.phase == 'open' and now < state['until'] then
  return answer(state, {}, 0, state['until'])
end

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local events = {}
if state.phase == 'open' then
  local half = {
    phase = 'half-open', reason = state.reason, detail = state.detail, since = now, ['until'] = now, successes = 0,
  }
  events = { turn(KEYS[1], KEYS[3], KEYS[4], name, state, half) }
  state = half
end
-- The same token again is the same question, whose answer was lost.
if not redis.call('ZSCORE', KEYS[2], ARGV[2]) and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
  return answer(state, events, 0, math.min(again, math.ceil(tonumber(first))))
end
local ends = now + tonumber(ARGV[3])
redis.call('ZADD', KEYS[2], ends, ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return answer(state, events, 1, ends)
