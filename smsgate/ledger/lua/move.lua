-- Move a message into another state, if the table of states allows it: the state, the event in the timeline, and every
-- index that follows from the state, in one act.
--
-- KEYS  1 record  2 due  3 dead letters  4 webhooks  5 queue of its task  6 questions
-- ARGV  1 id  2 new state  3 states that it may follow, each between commas: ',queued,sent,'  4 event, a JSON line
--       5 TTL, s  6 token of this call  7 '' | 'begin' to count an attempt | the attempt that must be the latest
--       8 now, Unix ms  9 when to look after it, Unix ms ('' never: it has come to rest)
--       10 Celery message ('' none)  11 prefix of the lanes' waiting sets  12 prefix of the lanes' parked sets
--       13 prefix of the lanes' tallies  14 width of a tally, ms  15 its TTL, s
--       16 '1' when what it needs is a question to the provider  17… fields and values to set
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
  'timeline', (known[3] or '') .. ARGV[4] .. '\n', unpack(ARGV, 17))

local index, other = KEYS[2], KEYS[6]
if ARGV[16] == '1' then
  index, other = other, index
end
redis.call('ZREM', other, id)
if ARGV[9] ~= '' then
  redis.call('ZADD', index, ARGV[9], id)
else
  redis.call('ZREM', index, id)
  if known[7] then
    redis.call('ZADD', KEYS[4], now, id)
  end
end

if ARGV[10] ~= '' then
  redis.call('ZADD', ARGV[11] .. lane, now, id)
  redis.call('LPUSH', KEYS[5], ARGV[10])
elseif state == 'queued' then
  redis.call('ZREM', ARGV[11] .. lane, id)
  redis.call('ZREM', ARGV[12] .. lane, id)
end

if to == 'dead' then
  redis.call('ZADD', KEYS[3], now, id)
elseif state == 'dead' then
  redis.call('ZREM', KEYS[3], id)
end

-- Of the messages that were tried and came to an end, how many ended dead: what the lane's brake looks at. An attempt
-- that is followed by another is no end.
local ended = (state == 'sending' and to ~= 'queued') or to == 'dead'
if ended then
  local tally = ARGV[13] .. lane .. ':' .. math.floor(tonumber(now) / tonumber(ARGV[14]))
  redis.call('HINCRBY', tally, 'ended', 1)
  if to == 'dead' then
    redis.call('HINCRBY', tally, 'dead', 1)
  end
  redis.call('EXPIRE', tally, ARGV[15])
end
return { 'moved', state, attempts }
