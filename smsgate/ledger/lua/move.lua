-- Move a message into another state, if the table of states allows it: the state, the event in the timeline, and every
-- index that follows from the state, in one act.
--
-- KEYS  1 record  2 uncertain  3 silent  4 dead letters  5 webhooks  6 queue of its task
-- ARGV  1 id  2 new state  3 states that it may follow, each between commas: ',queued,sent,'  4 event, a JSON line
--       5 TTL, s  6 token of this call  7 '' | 'begin' to count an attempt | the attempt that must be the latest
--       8 now, Unix ms  9 the index in which it stands from now on: 'due' | 'uncertain' | 'silent' | '' (it rests)
--       10 when to look after it, Unix ms  11 Celery message ('' none)  12 prefix of the lanes' due sets
--       13 prefix of the lanes' waiting sets  14 prefix of the lanes' parked sets  15 prefix of the lanes' tallies
--       16 width of a tally, ms  17 its TTL, s  18… fields and values to set
-- Returns {'moved' | 'stayed' | 'missing', the state before, attempts}
--
-- The token makes a call that is sent again (its answer was lost) find its own work done.
local record, id, to, now = KEYS[1], ARGV[1], ARGV[2], ARGV[8]
local known = redis.call('HMGET', record, 'state', 'token', 'timeline', 'attempts', 'before', 'lane', 'callback')
local state, attempts, lane = known[1], tonumber(known[4] or '0'), known[6] or 'notice'

if not state then
  return { 'missing', '', 0 }
end
if known[2] == ARGV[6] then
  return { 'moved', known[5], attempts }
end
if not string.find(ARGV[3], ',' .. state .. ',', 1, true) then
  return { 'stayed', state, attempts }
end
if ARGV[7] == 'begin' then
  attempts = attempts + 1
elseif ARGV[7] ~= '' and tonumber(ARGV[7]) ~= attempts then
  return { 'stayed', state, attempts }
end

-- EXPIRE comes first: a full Redis refuses a script whose first write takes memory, and lets one go on that has begun
-- to write. New messages it must refuse; those that it holds must be able to come to their end.
redis.call('EXPIRE', record, ARGV[5])
redis.call('HSET', record, 'state', to, 'before', state, 'token', ARGV[6], 'attempts', attempts,
  'timeline', (known[3] or '') .. ARGV[4] .. '\n', unpack(ARGV, 18))

local indexes = { due = ARGV[12] .. lane, uncertain = KEYS[2], silent = KEYS[3] }
for name, index in pairs(indexes) do
  if name == ARGV[9] then
    redis.call('ZADD', index, ARGV[10], id)
  else
    redis.call('ZREM', index, id)
  end
end
if ARGV[9] == '' and known[7] then
  redis.call('ZADD', KEYS[5], now, id)
end

if ARGV[11] ~= '' then
  redis.call('ZADD', ARGV[13] .. lane, now, id)
  redis.call('LPUSH', KEYS[6], ARGV[11])
elseif state == 'queued' then
  redis.call('ZREM', ARGV[13] .. lane, id)
  redis.call('ZREM', ARGV[14] .. lane, id)
end

if to == 'dead' then
  redis.call('ZADD', KEYS[4], now, id)
elseif state == 'dead' then
  redis.call('ZREM', KEYS[4], id)
end

-- Of the messages that were tried and came to an end, how many ended dead: what the lane's brake looks at. An attempt
-- that is followed by another is no end.
local ended = (state == 'sending' and to ~= 'queued') or to == 'dead'
if ended then
  local tally = ARGV[15] .. lane .. ':' .. math.floor(tonumber(now) / tonumber(ARGV[16]))
  redis.call('HINCRBY', tally, 'ended', 1)
  if to == 'dead' then
    redis.call('HINCRBY', tally, 'dead', 1)
  end
  redis.call('EXPIRE', tally, ARGV[17])
end
return { 'moved', state, attempts }
