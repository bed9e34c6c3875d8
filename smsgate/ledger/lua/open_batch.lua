-- Begin a batch, or find the one that was begun with the same key.
--
-- KEYS  1 idempotency claim  2 batch
-- ARGV  1 batch id  2 fingerprint of its own fields  3 '1' when a key was given  4 TTL of the claim, s
--       5 TTL of the batch, s  6 … its fields and values
-- A call that is sent again (its answer was lost) has opened what it opened the first time.
-- Returns {'opened' | 'continued' | 'conflict', id}
if ARGV[3] == '1' then
  local claim = redis.call('GET', KEYS[1])
  if claim then
    local id, fingerprint = string.match(claim, '^(%S+) (%S+)$')
    if fingerprint ~= ARGV[2] then
      return { 'conflict', id }
    elseif id == ARGV[1] then
      return { 'opened', id }
    end
    return { 'continued', id }
  end
end
redis.call('HSET', KEYS[2], unpack(ARGV, 6))
redis.call('EXPIRE', KEYS[2], ARGV[5])
if ARGV[3] == '1' then
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'EX', ARGV[4])
end
return { 'opened', ARGV[1] }
