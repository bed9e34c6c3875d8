-- Give a client's valid secrets, and make the first one where there is none.
--
-- KEYS  1 secrets of the client, the newest first
-- ARGV  1 a new secret
-- Returns the secrets
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('LPUSH', KEYS[1], ARGV[1])
end
return redis.call('LRANGE', KEYS[1], 0, -1)
