-- Keeps a session that is not there yet, until its idle deadline.
--
-- KEYS[1]: the session. ARGV: the idle deadline, then its record. Returns 0 if
-- one is there: then nothing has changed.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return 1
