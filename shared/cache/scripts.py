"""What Redis does in one step. Tags are keys that hold a token: `G…` of a generation, `W…` of a write."""

CLAIM = b"""
local tokens = {}
for i, tag in ipairs(KEYS) do
  if not redis.call('GET', tag) then redis.call('SET', tag, ARGV[1], 'PX', ARGV[2]) end
  tokens[i] = redis.call('GET', tag)
end
return tokens
"""
"""Give tags without a token that of a new generation, and return the tokens of all."""

FILL = b"""
for i = 2, #KEYS do
  if redis.call('GET', KEYS[i]) ~= ARGV[i + 1] then return 0 end
end
for i = 2, #KEYS do
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""Keep an answer, if each of its tags still has the token that was seen before the answer was looked up."""

BEGIN = b"""
for _, tag in ipairs(KEYS) do redis.call('SET', tag, ARGV[1], 'PX', ARGV[2]) end
return 1
"""
"""Mark tags as being written: nothing that depends on them is served or kept."""

END = b"""
for _, tag in ipairs(KEYS) do
  local token = redis.call('GET', tag)
  if token and (token == ARGV[1] or string.sub(token, 1, 1) ~= 'W') then redis.call('DEL', tag) end
end
return 1
"""
"""End a write and all generations before it; the mark of another write that is still under way stays."""
