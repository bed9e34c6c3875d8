-- Note how many rows of a batch were seen. A second upload of the same rows begins anew, and takes nothing back.
local function note_received(batch, count)
  if count > tonumber(redis.call('HGET', batch, 'rows_received') or '0') then
    redis.call('HSET', batch, 'rows_received', string.format('%.0f', count))
  end
end
