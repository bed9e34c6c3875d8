-- Hand a due entry to a worker: queue its task, and look again later in case the task is lost. Of several that try, one does.
--
-- KEYS  1 index  2 queue
-- ARGV  1 entry  2 the score seen  3 the score from now on  4 Celery message
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('LPUSH', KEYS[2], ARGV[4])
return 1
