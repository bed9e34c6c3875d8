-- Replace the weights of channels and the state that they come of, unless somebody else has done so meanwhile.
--
-- KEYS  1 state  2 weights
-- ARGV  1 the state as it was read ('' none)  2 the state now  3 seconds for which it is kept  4… kind, weight
-- Returns 1 when they were replaced
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
-- DEL comes first: a full Redis refuses a script whose first write takes memory.
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
for position = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[position], ARGV[position + 1])
end
return 1
