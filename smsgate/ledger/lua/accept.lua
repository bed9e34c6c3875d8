-- Accept one message: idempotency claim, record, its places in the index, and its Celery message or its place among
-- those that wait for company, all or nothing.
--
-- Uses: group
--
-- KEYS  1 record   2 queue of the task, or list of the group   3 idempotency claim   4 due   5 waiting in this lane
--       6 groups
-- ARGV  1 id  2 entry for KEYS[2] ('' to write the record only)  3 record TTL, s
--       4 fingerprint ('' without an idempotency key)  5 claim TTL, s
--       6 when to look after it, Unix ms ('' never)  7 since when it is in the queue, Unix ms ('' it is not)
--       8 group of the entry ('' it is a task)  9 now, Unix ms  10 TTL of a group, s
--       11… the record's fields and values
-- Returns {'accepted' | 'replayed' | 'conflict', id, '1' when it has made a chunk full}
local id, entry, fingerprint, group = ARGV[1], ARGV[2], ARGV[4], ARGV[8]

if fingerprint ~= '' then
  local claim = redis.call('GET', KEYS[3])
  if claim then
    local claimed_id, claimed_print = string.match(claim, '^(%S+) (%S+)$')
    return { claimed_print == fingerprint and 'replayed' or 'conflict', claimed_id, '' }
  end
end

if redis.call('EXISTS', KEYS[1]) == 1 then
  return { 'replayed', id, '' }
end

redis.call('HSET', KEYS[1], unpack(ARGV, 11))
redis.call('EXPIRE', KEYS[1], ARGV[3])
if fingerprint ~= '' then
  redis.call('SET', KEYS[3], id .. ' ' .. fingerprint, 'EX', ARGV[5])
end
if ARGV[6] ~= '' then
  redis.call('ZADD', KEYS[4], ARGV[6], id)
end
if entry ~= '' and group ~= '' then
  return { 'accepted', id, join_group(KEYS[6], KEYS[2], group, entry, tonumber(ARGV[9]), ARGV[10]) }
end
if ARGV[7] ~= '' then
  redis.call('ZADD', KEYS[5], ARGV[7], id)
end
if entry ~= '' then
  redis.call('LPUSH', KEYS[2], entry)
end
return { 'accepted', id, '' }
