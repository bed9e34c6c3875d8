-- Say since when the oldest messages of lanes wait that could go: as a task, parked, or among those that they leave with.
--
-- Uses: group
--
-- KEYS  for each lane  waiting, parked, groups
-- ARGV  1 now, Unix ms  2 prefix of records  3 most groups that are looked into  4… for each lane, the prefix of its lists
-- Returns since when for each lane, Unix ms (0 nothing waits)
--
-- A group's own time tells when its turn is, not how old its messages are: so the oldest message of each is asked. Rows of
-- batches do not count: a million of them wait for long, and nobody waits for one of them.
local now = tonumber(ARGV[1])

local function oldest_of(index)
  return tonumber(redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2])
end

local function oldest_in(list)
  local entry = redis.call('LINDEX', list, -1)
  local id = entry and string.match(entry, ' (%S+)$')
  if not id then
    return nil
  end
  local known = redis.call('HMGET', ARGV[2] .. id, 'state', 'accepted_at', 'not_before')
  return known[1] == 'queued' and math.max(tonumber(known[2] or '0'), tonumber(known[3] or '0')) or nil
end

local answer = {}
for place = 1, #KEYS, 3 do
  local since = math.min(oldest_of(KEYS[place]) or now, oldest_of(KEYS[place + 1]) or now)
  for _, group in ipairs(redis.call('ZRANGEBYSCORE', KEYS[place + 2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
    if about(group) == '' then
      since = math.min(since, oldest_in(ARGV[4 + (place - 1) / 3] .. group) or now)
    end
  end
  answer[#answer + 1] = since < now and since or 0
end
return answer
