-- Take a slice of a chunk of the messages that wait for company, and claim an attempt for each, all or nothing. The group
-- is the one that could have been taken for the longest; it goes behind the others, so that none waits for another to be
-- empty. Scripts run alone, so a chunk is taken in slices: what a code needs of Redis meanwhile comes in between.
--
-- Uses: timeline, batch, group, queued
--
-- KEYS  1 groups of the lane  2 queue of the lane  3 due  4 chunk  5 tasks at the broker, by queue
--       6 says that tasks like this one were queued ahead  7 paused clients and templates
--       8 groups of those, by when they were last looked at
-- ARGV  1 now, Unix ms  2 chunk, the name by which the provider will know it  3 its TTL, s
--       4 until when the attempts are leased, Unix ms  5 channel  6 TTL of a record, and of a batch, s  7 prefix of records
--       8 prefix of batches  9 prefix of the lane's lists  10 attempts that a message has, if it does not say itself
--       11 Celery message that takes the next chunk  12 most entries in the queue  13 messages that the chunk shall have
--       after this slice  14 after the last  15 group of the slices before ('' this is the first)
-- Returns {group with which the next slice goes on ('' this was the last), taken so far, expired, spent, cancelled}, ids
-- in each: what is not taken is due at once, and for the caller to end
--
-- A number stands at most once in a chunk, because the provider tells its messages apart by their numbers: a second one
-- waits for the next chunk. The chunk remembers who is who. A call that is sent again (its answer was lost) gets what it
-- took the first time; was it the first, the chunk stays as small as that.
local groups, due, chunk, now = KEYS[1], KEYS[3], KEYS[4], tonumber(ARGV[1])
local taken, expired, spent, cancelled, later, rows = {}, {}, {}, {}, {}, 0
local numbers, members, leases = {}, {}, {}

local had, goal = redis.call('HLEN', chunk), tonumber(ARGV[13])
if had >= goal or (had > 0 and ARGV[15] == '') then
  return { ARGV[15], redis.call('HVALS', chunk), {}, {}, {} }
end
for _, number in ipairs(redis.call('HKEYS', chunk)) do
  numbers[number] = true
end

-- The first write: a full Redis refuses a script that begins with one that takes memory.
redis.call('DEL', KEYS[6])

local function status_of(batch)
  return batch ~= '' and redis.call('HGET', ARGV[8] .. batch, 'status') or 'open'
end

local function next_group()
  while true do
    local group = redis.call('ZRANGEBYSCORE', groups, '-inf', ARGV[1], 'LIMIT', 0, 1)[1]
    if not group then
      return nil
    end
    local batch = about(group)
    local status = status_of(batch)
    local may_go = status ~= 'paused' and redis.call('EXISTS', ARGV[9] .. group) == 1
    local held = may_go and status ~= 'cancelled' and is_held(group, KEYS[7], ARGV[8])
    if may_go and not held then
      return group, batch, status
    end
    redis.call('ZREM', groups, group)
    if held then
      redis.call('ZADD', KEYS[8], ARGV[1], group)
    end
  end
end

local group, batch, status = ARGV[15], '', ''
if group == '' then
  group, batch, status = next_group()
else
  batch = about(group)
  status = status_of(batch)
end
if not group or status == 'paused' then
  return { '', redis.call('HVALS', chunk), {}, {}, {} }
end
local list = ARGV[9] .. group
local _, size, wait = about(group)

local channel = cjson.encode(ARGV[5])
local function claim(number, id, record, known)
  local attempts = tonumber(known[2] or '0') + 1
  local fields = { 'state', 'sending', 'before', 'queued', 'token', '', 'attempts', attempts, 'channel', ARGV[5],
    'lease', ARGV[4] }
  note_event(fields, tonumber(known[6] or '0'), 'sending ' .. ARGV[1] .. ' {"attempt":' .. attempts .. ',"channel":' .. channel
    .. ',"chunk":"' .. ARGV[2] .. '"}\n')
  redis.call('HSET', record, unpack(fields))
  leases[#leases + 1] = ARGV[4]
  leases[#leases + 1] = id
  numbers[number] = true
  members[#members + 1] = number
  members[#members + 1] = id
  taken[#taken + 1] = id
  rows = rows + (known[7] and 1 or 0)
end

local function leave(those, id)
  those[#those + 1] = id
  redis.call('ZADD', due, ARGV[1], id)
end

local function look(entry)
  local number, id = string.match(entry, '^(%S+) (%S+)$')
  local record = ARGV[7] .. (id or '')
  local known = redis.call('HMGET', record, 'state', 'attempts', 'valid_until', 'budget', 'not_before', 't', 'row')
  if known[1] ~= 'queued' then
    return
  end
  if status == 'cancelled' then
    leave(cancelled, id)
  elseif tonumber(known[5] or '0') > now then
    -- Whoever put it here has a clock ahead of ours: it is put here again at its time.
    redis.call('ZADD', due, known[5], id)
  elseif tonumber(known[3] or '0') <= now then
    leave(expired, id)
  elseif tonumber(known[2] or '0') >= tonumber(known[4] or ARGV[10]) then
    leave(spent, id)
  elseif numbers[number] then
    later[#later + 1] = entry
  else
    claim(number, id, record, known)
  end
end

local most, looked_at = math.min(size, goal) - had, 0
while #taken < most and looked_at < 4 * most do
  local entries = redis.call('RPOP', list, most - #taken)
  if not entries then
    break
  end
  for _, entry in ipairs(entries) do
    look(entry)
  end
  looked_at = looked_at + #entries
end
-- Those of the next chunk go to the front again; but a thousand to one number, of which each chunk takes one, would keep
-- all others waiting there.
for place = math.min(#later, size), 1, -1 do
  redis.call('RPUSH', list, later[place])
end
for place = size + 1, #later do
  redis.call('LPUSH', list, later[place])
end
if #taken > 0 then
  redis.call('ZADD', due, unpack(leases))
  redis.call('HSET', chunk, unpack(members))
  redis.call('EXPIRE', chunk, ARGV[3])
end
if rows > 0 and keep_batch(ARGV[8] .. batch, ARGV[6]) then
  redis.call('HINCRBY', ARGV[8] .. batch, 'queued', -rows)
  redis.call('HINCRBY', ARGV[8] .. batch, 'sending', rows)
end

local left = redis.call('LLEN', list)
redis.call('ZREM', groups, group)
if left > 0 then
  local at = (left >= size or status == 'cancelled') and now or now + wait
  redis.call('ZADD', groups, string.format('%.0f', at), group)
end
local is_last = left == 0 or looked_at == 0 or goal >= math.min(size, tonumber(ARGV[14]))
if is_last and redis.call('ZCOUNT', groups, '-inf', ARGV[1]) > 0 and queued(KEYS[2], KEYS[5]) < tonumber(ARGV[12]) then
  redis.call('LPUSH', KEYS[2], ARGV[11])
end
return { is_last and '' or group, redis.call('HVALS', chunk), expired, spent, cancelled }
