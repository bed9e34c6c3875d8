-- Accept rows of a batch: their records, their places in the index and in the batch's group, all or nothing.
--
-- Uses: batch, group, received
--
-- KEYS  1 batch  2 due  3 groups  4 list of the group
-- ARGV  1 batch id  2 prefix of records  3 TTL of a record, s  4 when to look after them, Unix ms  5 group
--       6 when they may be taken at the latest, Unix ms  7 TTL of a group, s  8 when a full chunk may be, Unix ms
--       9 how many fields and values they have in common, which follow
--       then for each row  number in the batch, phone, phone as the provider takes it, what its message says beyond (JSON)
-- Returns {'accepted', {}} or {'known', the rows that are there already} or {the batch's status, {}} when it takes no more
--
-- While one of the rows is there already nothing is written: the caller compares first, and gives the others again. So
-- of a file that is refused because a row differs nothing goes out.
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'open' and status ~= 'paused' then
  return { status or 'missing', {} }
end

local first = 10 + tonumber(ARGV[9])
local known, due, entries = {}, {}, {}
for place = first, #ARGV, 4 do
  if redis.call('EXISTS', ARGV[2] .. ARGV[1] .. '-' .. ARGV[place]) == 1 then
    known[#known + 1] = ARGV[place]
  end
end
if #known > 0 then
  return { 'known', known }
end
local common = { unpack(ARGV, 10, 9 + tonumber(ARGV[9])) }

-- Lay out a text in pieces of at most 64 bytes, none cut within a character (see pieces.py).
local function cut(fields, name, text)
  local start, count = 1, 0
  while start <= #text do
    local stop = math.min(start + 63, #text)
    while stop < #text do
      local byte = string.byte(text, stop + 1)
      if byte < 128 or byte > 191 then
        break
      end
      stop = stop - 1
    end
    fields[#fields + 1] = name .. count
    fields[#fields + 1] = string.sub(text, start, stop)
    start, count = stop + 1, count + 1
  end
end

for place = first, #ARGV, 4 do
  local id = ARGV[1] .. '-' .. ARGV[place]
  local record = ARGV[2] .. id
  local fields = { 'to', ARGV[place + 1], unpack(common) }
  cut(fields, 'more', ARGV[place + 3])
  redis.call('HSET', record, unpack(fields))
  redis.call('EXPIRE', record, ARGV[3])
  due[#due + 1] = ARGV[4]
  due[#due + 1] = id
  entries[#entries + 1] = ARGV[place + 2] .. ' ' .. id
end

redis.call('HINCRBY', KEYS[1], 'queued', #entries)
redis.call('HINCRBY', KEYS[1], 'rows_accepted', #entries)
-- Whoever goes through the rows goes as far as this: it is never behind what was accepted.
note_received(KEYS[1], ARGV[#ARGV - 3] + 1)
keep_batch(KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], unpack(due))
local waiting = redis.call('LPUSH', KEYS[4], unpack(entries))
redis.call('EXPIRE', KEYS[4], ARGV[7])
redis.call('ZADD', KEYS[3], 'LT', ARGV[6], ARGV[5])
local _, size = about(ARGV[5])
if waiting >= size then
  redis.call('ZADD', KEYS[3], 'LT', ARGV[8], ARGV[5])
end
return { 'accepted', {} }
