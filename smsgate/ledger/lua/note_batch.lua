-- Note how far an upload has come.
--
-- Uses: received
--
-- KEYS  1 batch
-- ARGV  1 now, Unix ms  2 rows that were seen  3 of them those that are no messages  4 '1' when these were all
if redis.call('EXISTS', KEYS[1]) == 0 then
  return
end
redis.call('HSET', KEYS[1], 'received_at', ARGV[1])
-- What is left of an upload that broke may end after the same was sent in whole, and knows fewer of those.
if tonumber(ARGV[2]) >= tonumber(redis.call('HGET', KEYS[1], 'rows_received') or '0') then
  redis.call('HSET', KEYS[1], 'rows_rejected', ARGV[3])
end
note_received(KEYS[1], tonumber(ARGV[2]))
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'complete', 1)
end
