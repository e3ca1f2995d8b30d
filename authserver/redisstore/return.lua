-- Gives back what take.lua allowed: the same key and interval.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local spent = tonumber(redis.call('GET', KEYS[1]) or now) - tonumber(ARGV[1])
if spent <= now then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.0f', spent), 'PXAT', string.format('%.0f', math.ceil(spent / 1000)))
end
return 0
