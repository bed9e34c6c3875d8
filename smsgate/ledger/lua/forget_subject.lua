-- Look no more at a paused client or template for whom nothing stands aside.
--
-- KEYS  1 its messages that stand aside  2 those who have some
-- ARGV  1 client or template, KIND:NAME
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SREM', KEYS[2], ARGV[1])
end
