-- Replace the state of degradation, if it is the one that was read, and note the change of level.
--
-- KEYS  1 degradation  2 its changes, the latest first
-- ARGV  1 the state that was read ('' none)  2 the new one  3 the change ('' none)  4 most changes that are kept
--       5… fields to delete
-- Returns 1 where it was replaced, 0 where somebody was faster
if (redis.call('HGET', KEYS[1], 'state') or '') ~= ARGV[1] then
  return 0
end
-- HDEL comes first: a full Redis refuses a script whose first write takes memory, and the level must be able to fall.
redis.call('HDEL', KEYS[1], '', unpack(ARGV, 5))
redis.call('HSET', KEYS[1], 'state', ARGV[2])
if ARGV[3] ~= '' then
  redis.call('LPUSH', KEYS[2], ARGV[3])
  redis.call('LTRIM', KEYS[2], 0, ARGV[4] - 1)
end
return 1
