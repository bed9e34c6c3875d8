-- Note that an attempt goes on by another channel, before that channel is called: whoever has to ask what became of the
-- message must know whom.
--
-- Uses: timeline
--
-- KEYS  1 due
-- ARGV  1 prefix of records  2 channel  3 until when the attempt is leased from now on, Unix ms  4 now, Unix ms
--       5 what the event says beyond the number of the attempt (JSON, from the comma on)
--       then for each message  id, number of the attempt
-- Returns the ids of those whose attempt it still is; nobody may send the others
--
-- A call that is sent again (its answer was lost) finds the channel there, and adds nothing.
local still = {}
for place = 6, #ARGV, 2 do
  local id, attempt = ARGV[place], ARGV[place + 1]
  local record = ARGV[1] .. id
  local known = redis.call('HMGET', record, 'state', 'attempts', 'channel', 't')
  if known[1] == 'sending' and known[2] == attempt then
    if known[3] ~= ARGV[2] then
      local fields = { 'channel', ARGV[2], 'lease', ARGV[3] }
      note_event(fields, tonumber(known[4] or '0'), 'sending ' .. ARGV[4] .. ' {"attempt":' .. attempt .. ARGV[5] .. '}\n')
      -- Changes nothing: a full Redis refuses a script whose first write takes memory.
      redis.call('HDEL', record, '')
      redis.call('HSET', record, unpack(fields))
      redis.call('ZADD', KEYS[1], ARGV[3], id)
    end
    still[#still + 1] = id
  end
end
return still
