-- Move messages into another state, each if the table of states allows it: the state, the event in the timeline, and
-- every index that follows from the state, in one act.
--
-- Uses: timeline, batch, group
--
-- KEYS  1 uncertain  2 silent  3 dead letters  4 webhooks  5 queue of the task, or list of the group  6 groups
-- ARGV  1 prefix of records  2 new state  3 states that it may follow, each between commas: ',queued,sent,'
--       4 event, a line of the timeline  5 TTL, s  6 token of this call  7 now, Unix ms
--       8 the index in which they stand from now on: 'due' | 'uncertain' | 'silent' | '' (they rest)
--       9 entry for KEYS[5] ('' none)  10 its group ('' it is a task)
--       11 prefix of the lanes' due sets  12 of their waiting sets  13 of their parked sets  14 of their tallies
--       15 width of a tally, ms  16 its TTL, s  17 prefix of batches  18 TTL of a group, s  19 number of messages
--       then for each  id, the attempt that must be the latest ('' any), when to look after it (Unix ms)
--       then fields and values to set
-- Returns for each  'moved' | 'stayed' | 'missing', the state before, attempts
--
-- The token makes a call that is sent again (its answer was lost) find its own work done.
local to, token, now, index, entry = ARGV[2], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local rows = tonumber(ARGV[19])
local rests = index == ''
local fields = { unpack(ARGV, 20 + 3 * rows) }
local tallies = {}

-- Of the messages that were tried and came to an end, how many ended dead: what the lane's brake looks at. An attempt
-- that is followed by another is no end.
local function tally(lane)
  local known = tallies[lane] or { ended = 0, dead = 0 }
  known.ended = known.ended + 1
  known.dead = known.dead + (to == 'dead' and 1 or 0)
  tallies[lane] = known
end

-- In which index a message stands in each state in which it does not rest.
local belongs = { queued = 'due', sending = 'due', uncertain = 'uncertain', sent = 'silent' }

local function place(id, state, lane, due, calls_back)
  local indexes = { due = ARGV[11] .. lane, uncertain = KEYS[1], silent = KEYS[2] }
  if belongs[state] and belongs[state] ~= index then
    redis.call('ZREM', indexes[belongs[state]], id)
  end
  if not rests then
    redis.call('ZADD', indexes[index], due, id)
  end
  if rests and calls_back then
    redis.call('ZADD', KEYS[4], now, id)
  end
  if entry ~= '' and ARGV[10] ~= '' then
    join_group(KEYS[6], KEYS[5], ARGV[10], entry, tonumber(now), ARGV[18])
  elseif entry ~= '' then
    redis.call('ZADD', ARGV[12] .. lane, now, id)
    redis.call('LPUSH', KEYS[5], entry)
  elseif state == 'queued' then
    redis.call('ZREM', ARGV[12] .. lane, id)
    redis.call('ZREM', ARGV[13] .. lane, id)
  end
  if to == 'dead' then
    redis.call('ZADD', KEYS[3], now, id)
  elseif state == 'dead' then
    redis.call('ZREM', KEYS[3], id)
  end
end

local function move(id, of_attempt, due)
  local record = ARGV[1] .. id
  local known = redis.call('HMGET', record, 'state', 'token', 't', 'attempts', 'before', 'lane', 'callback', 'row')
  local state, attempts, lane = known[1], tonumber(known[4] or '0'), known[6] or 'notice'

  if not state then
    return 'missing', '', 0
  end
  if known[2] == token then
    return 'moved', known[5], attempts
  end
  if not string.find(ARGV[3], ',' .. state .. ',', 1, true) then
    return 'stayed', state, attempts
  end
  if of_attempt ~= '' and tonumber(of_attempt) ~= attempts then
    return 'stayed', state, attempts
  end

  -- EXPIRE comes first: a full Redis refuses a script whose first write takes memory, and lets one go on that has begun
  -- to write. New messages it must refuse; those that it holds must be able to come to their end.
  redis.call('EXPIRE', record, ARGV[5])
  local set = { 'state', to, 'before', state, 'token', token, unpack(fields) }
  note_event(set, tonumber(known[3] or '0'), ARGV[4])
  redis.call('HSET', record, unpack(set))
  if rests and to ~= 'dead' then
    redis.call('HDEL', record, 'lease', 'redelivered', 'asks', 'budget', 'not_before')
  end
  if known[8] then
    count_row(ARGV[17], id, state, to)
  end
  place(id, state, lane, due, known[7])
  if (state == 'sending' and to ~= 'queued') or to == 'dead' then
    tally(lane)
  end
  return 'moved', state, attempts
end

local answer = {}
for first = 20, 19 + 3 * rows, 3 do
  for _, value in ipairs({ move(ARGV[first], ARGV[first + 1], ARGV[first + 2]) }) do
    answer[#answer + 1] = value
  end
end
count_rows(ARGV[5])
for lane, known in pairs(tallies) do
  local key = ARGV[14] .. lane .. ':' .. math.floor(tonumber(now) / tonumber(ARGV[15]))
  redis.call('HINCRBY', key, 'ended', known.ended)
  if known.dead > 0 then
    redis.call('HINCRBY', key, 'dead', known.dead)
  end
  redis.call('EXPIRE', key, ARGV[16])
end
return answer
