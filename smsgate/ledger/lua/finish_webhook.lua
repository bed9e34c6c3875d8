-- Forget a webhook, if it is still ours: a message that came to rest once more meanwhile is due anew.
--
-- KEYS  1 webhooks, by the Unix ms at which they are due  2 attempts of this message's webhooks
-- ARGV  1 message id  2 the score by which it is ours
-- Returns 1 | 0
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
