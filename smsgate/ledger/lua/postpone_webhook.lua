-- Make a webhook due at another time, if it is still ours; and count an attempt where one was made.
--
-- KEYS  1 webhooks, by the Unix ms at which they are due  2 attempts of this message's webhooks
-- ARGV  1 message id  2 the score by which it is ours  3 the new score  4 event to count an attempt for, '' for none
--       5 TTL of the attempts, s
-- Returns 1 | 0
--
-- Not ours: its lease ran out and another has it, or the message came to rest once more and is due anew.
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
if ARGV[4] ~= '' then
  redis.call('HINCRBY', KEYS[2], ARGV[4], 1)
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
return 1
