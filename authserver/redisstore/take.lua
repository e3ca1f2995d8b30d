-- GCRA: spends one of a key's allowance if there is one.
--
-- KEYS[1]: when the allowance will be whole again, in µs since 1970, or absent.
-- ARGV: the interval of one event in µs, the burst. Returns how many µs are to
-- be waited; 0 if the event is allowed.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval = tonumber(ARGV[1])
local whole = interval * tonumber(ARGV[2])

-- Never more than the whole allowance is spent, unless the clock was set back
-- or another server took over: nobody is locked out for longer than the rule says.
local spent = tonumber(redis.call('GET', KEYS[1]) or now)
spent = math.max(now, math.min(spent, now + whole)) + interval
if spent > now + whole then
  return spent - now - whole
end
-- Doubles hold these numbers whole, but tostring would round them.
redis.call('SET', KEYS[1], string.format('%.0f', spent), 'PXAT', string.format('%.0f', math.ceil(spent / 1000)))
return 0
