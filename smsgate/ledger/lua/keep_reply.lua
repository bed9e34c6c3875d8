-- Append a reply to the stream of replies, unless it is there already: the provider pushes again what it doubts.
--
-- KEYS  1 claim of this reply  2 stream
-- ARGV  1 TTL of the claim, s  2 most entries  3 reply, JSON
if redis.call('SET', KEYS[1], '', 'NX', 'EX', ARGV[1]) then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'reply', ARGV[3])
  return 1
end
return 0
