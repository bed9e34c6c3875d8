-- Messages that leave together wait in a list, the group's; its name says how: BATCH|SIZE|WAIT in ms|TEMPLATE|SIGN, and
-- |CLIENT where they are of no batch. The lane's groups stand in a sorted set by when they may be taken (Unix ms): when
-- the first has waited for long enough, or at once when there is a full chunk.
local function about(group)
  local batch, size, wait = string.match(group, '^([^|]*)|(%d+)|(%d+)|')
  return batch, tonumber(size), tonumber(wait)
end

-- Say whether a group's template or its client is paused; `pauses` names them, KIND:NAME.
local function is_held(group, pauses, batches)
  if redis.call('HLEN', pauses) == 0 then
    return false
  end
  local batch, template = string.match(group, '^([^|]*)|%d+|%d+|([^|]*)|')
  if template and redis.call('HEXISTS', pauses, 'template:' .. template) == 1 then
    return true
  end
  local client = string.match(group, '^[^|]*|%d+|%d+|[^|]*|.*|([^|]+)$')
  if batch and batch ~= '' then
    client = redis.call('HGET', batches .. batch, 'client')
  end
  return client and redis.call('HEXISTS', pauses, 'client:' .. client) == 1
end

-- Put a message behind those that wait already. Returns '1' when there is another full chunk, else ''.
local function join_group(groups, list, group, entry, now, ttl)
  local _, size, wait = about(group)
  local waiting = redis.call('LPUSH', list, entry)
  redis.call('EXPIRE', list, ttl)
  -- Later ones do not put it off; but where a host's clock was ahead, they put it right.
  redis.call('ZADD', groups, 'LT', string.format('%.0f', now + wait), group)
  if waiting % size ~= 0 then
    return ''
  end
  redis.call('ZADD', groups, 'LT', now, group)
  return '1'
end
