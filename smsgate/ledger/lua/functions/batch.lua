-- The rows of a batch are called BATCH-NUMBER and say so in their records; the batch counts them by state.
local row_counts = {}

-- Note that a row is counted in its new state, and no more in the one before.
local function count_row(prefix, id, before, to)
  local batch = prefix .. string.match(id, '^(.*)%-%d+$')
  local counts = row_counts[batch] or {}
  counts[before] = (counts[before] or 0) - 1
  counts[to] = (counts[to] or 0) + 1
  row_counts[batch] = counts
end

-- Keep a batch for at least as long as its rows, `ttl` in seconds; says whether there is one. One that is gone must not
-- be begun anew by a count: nobody would ever remove it.
local function keep_batch(batch, ttl)
  local left = redis.call('TTL', batch)
  if left >= 0 and left < tonumber(ttl) then
    redis.call('EXPIRE', batch, ttl)
  end
  return left ~= -2
end

-- Write down what was noted.
local function count_rows(ttl)
  for batch, counts in pairs(row_counts) do
    for state, count in pairs(keep_batch(batch, ttl) and counts or {}) do
      redis.call('HINCRBY', batch, state, count)
    end
  end
end
