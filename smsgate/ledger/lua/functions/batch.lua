-- The rows of a batch are called BATCH-NUMBER and say so in their records; the batch counts them by state.
local function batch_of(prefix, id)
  return prefix .. string.match(id, '^(.*)%-%d+$')
end

-- Count a row in its new state, and no more in the one before.
local function count_row(prefix, id, before, to)
  local batch = batch_of(prefix, id)
  redis.call('HINCRBY', batch, before, -1)
  redis.call('HINCRBY', batch, to, 1)
end
