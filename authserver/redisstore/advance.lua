-- What authserver.Session.Judge says, in one step.
--
-- KEYS[1]: the session. Returns a word and, unless the token was refused, the
-- session as it then is. No number is written that was computed here: Lua's
-- are doubles, and not all of ours fit.
local now, client, incarnation, hash, counter, successor, since, idle, ip, agent = unpack(ARGV, 1, 10)

local flat = redis.call('HGETALL', KEYS[1])
if #flat == 0 then
  return {'absent'}
end
local s = {}
for i = 1, #flat, 2 do
  s[flat[i]] = flat[i + 1]
end

now = tonumber(now)
if now >= tonumber(s.idle) or now >= tonumber(s.deadline) then
  return {'expired'}
end
if client ~= s.client or incarnation ~= s.inc then
  return {'client'}
end
if hash ~= s.hash then
  return {'secret'}
end
-- holds says whether all names in ARGV, from first to last, are in the list that
-- the fields name0, name1 … hold.
local function holds(name, first, last)
  if last < first then
    return true
  end
  local parts, i = {}, 0
  while s[name .. i] do
    parts[i + 1] = s[name .. i]
    i = i + 1
  end
  local held = {}
  for word in string.gmatch(table.concat(parts), '%S+') do
    held[word] = true
  end
  for j = first, last do
    if not held[ARGV[j]] then
      return false
    end
  end
  return true
end

local scopes, keep, auth, amr = tonumber(ARGV[11]), ARGV[12] == '1', ARGV[13], ARGV[14]
if not holds('scope', 15, 14 + scopes) then
  return {'scope'}
end
if not holds('resource', 15 + scopes, #ARGV) then
  return {'target'}
end

local k, n = tonumber(counter), tonumber(s.n)
if tonumber(s.deadline) < tonumber(idle) then
  idle = s.deadline
end
if keep then
  if k ~= n then
    return {'secret'}
  end
  redis.call('HSET', KEYS[1], 'used', ARGV[1], 'idle', idle)
  redis.call('PEXPIREAT', KEYS[1], idle)
  return {'kept', redis.call('HGETALL', KEYS[1])}
end
-- since is the earliest rotation whose grace period has not passed; empty is
-- strict single use.
if k + 1 == n and since ~= '' and tonumber(s.rotated) >= tonumber(since) then
  return {'repeated', flat}
end
if k < n then
  return {'reused', flat}
end
redis.call('HSET', KEYS[1], 'n', successor, 'rotated', ARGV[1], 'used', ARGV[1], 'idle', idle)
if not s.parent then
  redis.call('HSET', KEYS[1], 'ip', ip, 'agent', agent)
end
if auth ~= '' then
  redis.call('HSET', KEYS[1], 'auth', auth, 'amr', amr)
end
redis.call('PEXPIREAT', KEYS[1], idle)
return {k > n and 'recovered' or 'rotated', redis.call('HGETALL', KEYS[1])}
