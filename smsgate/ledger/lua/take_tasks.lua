-- Note an entry that a worker has taken off a queue, and take as many more as it has room for, noting each.
--
-- KEYS  1 tags of what is unacknowledged, by time   2 what is unacknowledged, by tag   3 queue
-- ARGV  1 now, Unix s  2 the queue's name, as JSON  3 how many more  4 tag of the one that was taken  5 that entry
-- Returns tag and entry of each that was taken here.
--
-- ZREM comes first: see note_unacked.lua.
redis.call('ZREM', KEYS[1], ARGV[4])

local function note(tag, entry)
  redis.call('ZADD', KEYS[1], ARGV[1], tag)
  redis.call('HSET', KEYS[2], tag, '[' .. entry .. ', "", ' .. ARGV[2] .. ']')
end

-- What has no tag a worker takes by itself, and sees that it is no message.
local function tag_of(entry)
  local is_json, known = pcall(cjson.decode, entry)
  local properties = is_json and type(known) == 'table' and known.properties
  local tag = type(properties) == 'table' and properties.delivery_tag
  local is_tag = type(tag) == 'string' and #tag <= 255 and string.find(tag, '^[ -~]+$')
  return is_tag and tag
end

note(ARGV[4], ARGV[5])
local taken = {}
for _ = 1, tonumber(ARGV[3]) do
  local entry = redis.call('LINDEX', KEYS[3], -1)
  local tag = entry and tag_of(entry)
  if not tag then
    break
  end
  redis.call('RPOP', KEYS[3])
  note(tag, entry)
  taken[#taken + 1] = tag
  taken[#taken + 1] = entry
end
return taken
