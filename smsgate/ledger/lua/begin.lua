-- Begin with a task: read the record, count how often the task was delivered again since its last attempt began, and
-- claim the attempt where nothing speaks against it.
--
-- Uses: timeline, batch
--
-- KEYS  1 record  2 deliveries of a task that has no record  3 due  4 waiting in this lane  5 parked in this lane
--       6 by which channels the number got its last codes, the latest first
-- ARGV  1 id  2 '1' when this is a redelivery  3 TTL of its count, s  4 '1' when it may be claimed
--       5 most redeliveries without an attempt  6 attempts that a message has, if it does not say itself
--       7 now, Unix ms  8 the latest time that a message may wait for and go, Unix ms  9 until when the attempt is leased
--       10 token of this call  11 channels that may take it, by comma  12 TTL of the record, s  13 prefix of batches
--       14 TTL of KEYS[6], s ('' the first channel takes it, whichever took the last)
-- Returns {'claimed' | 'read' | 'missing', deliveries again, attempts, the record's fields and values as they were,
--          the channel for which it was claimed}
--
-- The token makes a call that is sent again (its answer was lost) find its own work done.
local record, id, now = KEYS[1], ARGV[1], tonumber(ARGV[7])
local flat = redis.call('HGETALL', record)
local known = {}
for place = 1, #flat, 2 do
  known[flat[place]] = flat[place + 1]
end
local attempts, again = tonumber(known.attempts or '0'), 0

if known.state and known.token == ARGV[10] then
  return { 'claimed', 0, attempts, flat, known.channel }
end
if ARGV[2] == '1' then
  if known.state then
    -- HDEL comes first, and changes nothing: a full Redis refuses a script whose first write takes memory.
    redis.call('HDEL', record, '')
    again = redis.call('HINCRBY', record, 'redelivered', 1)
  else
    again = redis.call('INCR', KEYS[2])
    redis.call('EXPIRE', KEYS[2], ARGV[3])
  end
end
if not known.state then
  return { 'missing', again, 0, flat, '' }
end

local may_go = ARGV[4] == '1'
  and known.state == 'queued'
  and again <= tonumber(ARGV[5])
  and tonumber(known.valid_until) > now
  and tonumber(known.not_before or '0') <= tonumber(ARGV[8])
  and attempts < tonumber(known.budget or ARGV[6])
if not may_go then
  return { 'read', again, attempts, flat, '' }
end

-- The first channel, or the one that took a code for this number the longest ago.
local function chosen()
  local first, latest = string.match(ARGV[11], '^[^,]*'), {}
  if ARGV[14] == '' then
    return first
  end
  for place, name in ipairs(redis.call('LRANGE', KEYS[6], 0, -1)) do
    latest[name] = latest[name] or place
  end
  local best, age = first, 0
  for name in string.gmatch(ARGV[11], '[^,]+') do
    local since = latest[name] or math.huge
    if since > age then
      best, age = name, since
    end
  end
  return best
end

attempts = attempts + 1
local channel = chosen()
local fields = { 'state', 'sending', 'before', 'queued', 'token', ARGV[10], 'attempts', attempts, 'channel', channel,
  'lease', ARGV[9] }
note_event(fields, tonumber(known.t or '0'), 'sending ' .. ARGV[7] .. ' ' ..
  '{"attempt":' .. attempts .. ',"channel":' .. cjson.encode(channel) .. '}\n')
-- Again a first write that takes no memory.
redis.call('EXPIRE', record, ARGV[12])
redis.call('HSET', record, unpack(fields))
if ARGV[14] ~= '' then
  redis.call('LPUSH', KEYS[6], channel)
  redis.call('LTRIM', KEYS[6], 0, 7)
  redis.call('EXPIRE', KEYS[6], ARGV[14])
end
if known.redelivered or known.asks or again > 0 then
  redis.call('HDEL', record, 'redelivered', 'asks')
end
if known.row then
  count_row(ARGV[13], id, 'queued', 'sending')
  count_rows(ARGV[12])
end
redis.call('ZREM', KEYS[4], id)
redis.call('ZREM', KEYS[5], id)
redis.call('ZADD', KEYS[3], ARGV[9], id)
return { 'claimed', again, attempts, flat, channel }
