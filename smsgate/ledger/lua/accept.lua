-- Accept one message: idempotency claim, record, Celery message and its places in the index, all or nothing.
--
-- KEYS  1 record   2 queue   3 idempotency claim   4 due   5 waiting in this lane
-- ARGV  1 id  2 Celery message ('' to write the record only)  3 record TTL, s
--       4 fingerprint ('' without an idempotency key)  5 claim TTL, s
--       6 when to look after it, Unix ms ('' never)  7 since when it is in the queue, Unix ms ('' it is not)
--       8… the record's fields and values
-- Returns {'accepted' | 'replayed' | 'conflict', id}
local id, fingerprint = ARGV[1], ARGV[4]

if fingerprint ~= '' then
  local claim = redis.call('GET', KEYS[3])
  if claim then
    local claimed_id, claimed_print = string.match(claim, '^(%S+) (%S+)$')
    return { claimed_print == fingerprint and 'replayed' or 'conflict', claimed_id }
  end
end

if redis.call('EXISTS', KEYS[1]) == 1 then
  return { 'replayed', id }
end

redis.call('HSET', KEYS[1], unpack(ARGV, 8))
redis.call('EXPIRE', KEYS[1], ARGV[3])
if fingerprint ~= '' then
  redis.call('SET', KEYS[3], id .. ' ' .. fingerprint, 'EX', ARGV[5])
end
if ARGV[6] ~= '' then
  redis.call('ZADD', KEYS[4], ARGV[6], id)
end
if ARGV[7] ~= '' then
  redis.call('ZADD', KEYS[5], ARGV[7], id)
end
if ARGV[2] ~= '' then
  redis.call('LPUSH', KEYS[2], ARGV[2])
end
return { 'accepted', id }
