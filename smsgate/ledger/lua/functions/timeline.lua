-- Write an event behind the last one of a record's timeline, in pieces of at most 64 bytes (see pieces.py); `count` is
-- how many pieces there are. Returns how many there are then.
local function note_event(record, count, line)
  for start = 1, #line, 64 do
    redis.call('HSET', record, 't' .. count, string.sub(line, start, start + 63))
    count = count + 1
  end
  redis.call('HSET', record, 't', count)
  return count
end
