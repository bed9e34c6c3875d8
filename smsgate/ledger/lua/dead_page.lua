-- Read dead letters, newest first, from the place after one that was read before: it may have gone since, and a
-- thousand others may have died in its millisecond.
--
-- KEYS  1 dead letters
-- ARGV  1 the newest score, Unix ms or '+inf'  2 the letter with this score that was read last ('' none)  3 how many
-- Returns {id, score, id, score, …}
local dead, at, last, count = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])

-- Lua compares strings by the server's locale, Redis orders members by their bytes.
local function is_before(one, other)
  for place = 1, math.min(#one, #other) do
    if string.byte(one, place) ~= string.byte(other, place) then
      return string.byte(one, place) < string.byte(other, place)
    end
  end
  return #one < #other
end

if at == '+inf' then
  return redis.call('ZREVRANGE', dead, 0, count - 1, 'WITHSCORES')
end
local first = redis.call('ZCOUNT', dead, '(' .. at, '+inf')
if last ~= '' then
  local behind = first + redis.call('ZCOUNT', dead, at, at)
  while first < behind do
    local middle = math.floor((first + behind) / 2)
    if is_before(redis.call('ZREVRANGE', dead, middle, middle)[1], last) then
      behind = middle
    else
      first = middle + 1
    end
  end
end
return redis.call('ZREVRANGE', dead, first, first + count - 1, 'WITHSCORES')
