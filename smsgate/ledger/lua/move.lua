-- Move a message into another state, if the table of states allows it, and write the event into its timeline.
--
-- KEYS  1 record
-- ARGV  1 new state  2 states that it may follow, each between commas: ',queued,sent,'  3 event, a JSON line
--       4 TTL, s  5 token of this call  6 '1' to count an attempt  7… fields and values to set
-- Returns {'moved' | 'stayed' | 'missing', the state before, attempts]}
--
-- The token makes a call that is sent again (its answer was lost) find its own work done.
local record = KEYS[1]
local known = redis.call('HMGET', record, 'state', 'token', 'timeline', 'attempts', 'before')
local state, attempts = known[1], tonumber(known[4] or '0')

if not state then
  return { 'missing', '', 0 }
end
if known[2] == ARGV[5] then
  return { 'moved', known[5], attempts }
end
if not string.find(ARGV[2], ',' .. state .. ',', 1, true) then
  return { 'stayed', state, attempts }
end

if ARGV[6] == '1' then
  attempts = attempts + 1
end
redis.call('HSET', record, 'state', ARGV[1], 'before', state, 'token', ARGV[5], 'attempts', attempts,
  'timeline', (known[3] or '') .. ARGV[3] .. '\n', unpack(ARGV, 7))
redis.call('EXPIRE', record, ARGV[4])
return { 'moved', state, attempts }
