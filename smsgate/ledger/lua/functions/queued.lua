-- Count the tasks of a queue: those here, and those that a broker of their own holds, as far as it was asked.
local function queued(queue, at_broker)
  return redis.call('LLEN', queue) + math.max(0, tonumber(redis.call('HGET', at_broker, queue) or '0'))
end
