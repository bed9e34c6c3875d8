-- Note an entry that a worker has taken off a queue, and take as many more as it has room for, noting each.
--
-- KEYS  1 tags of what is unacknowledged, by time   2 what is unacknowledged, by tag   3 queue
-- ARGV  1 when it was taken, Unix s  2 the queue's name, as JSON  3 how many more  4 tag of the one that was taken
--       5 that entry
-- Returns tag and entry of each that was taken here.
--
-- A call that is sent again (its answer was lost) gets what it took the first time: all that one call takes is noted
-- under the very moment at which its first entry was taken.
local score = redis.call('ZSCORE', KEYS[1], ARGV[4])
if score and tonumber(score) == tonumber(ARGV[1]) then
  local before, behind, again = #'[' + 1, #', "", ' + #ARGV[2] + #']' + 1, {}
  for _, tag in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], score, score)) do
    local held = tag ~= ARGV[4] and redis.call('HGET', KEYS[2], tag)
    if held then
      again[#again + 1] = tag
      again[#again + 1] = string.sub(held, before, -behind)
    end
  end
  return again
end

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
