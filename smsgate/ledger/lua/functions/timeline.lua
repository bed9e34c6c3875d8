-- Write an event behind the last one of a timeline, in pieces of at most 64 bytes (see pieces.py), into `fields`, what is
-- about to be set in its record; `count` is how many pieces there are.
local function note_event(fields, count, line)
  for start = 1, #line, 64 do
    fields[#fields + 1] = 't' .. count
    fields[#fields + 1] = string.sub(line, start, start + 63)
    count = count + 1
  end
  fields[#fields + 1] = 't'
  fields[#fields + 1] = count
end
