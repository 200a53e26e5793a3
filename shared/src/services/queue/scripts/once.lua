-- once: does a script's work only while a key holds the caller's mark, and then replaces the
-- mark with the caller's reply.
--
-- The wrapped script is defined before this one, as the function `work`. It does not see the
-- last key and the last argument:
--
-- KEYS[#KEYS]  idempotency:{scope}:{hash}  STRING  a request in progress, or its reply
-- ARGV[#ARGV]  JSON: old (the mark), new (the reply), keep_ms, and for each answer of the
--              script the words for which the reply is correct
--
-- Returns what the script returns. If the key holds neither mark nor reply, it returns an error
-- and does nothing: the request took longer than its time limit, and another may be doing the
-- work. If the answers are not the expected ones, the mark stays.
--
-- Wraps: work()
local key, once = table.remove(KEYS), cjson.decode(table.remove(ARGV))
local held = redis.call('GET', key)
if held ~= once.old and held ~= once.new then
  return redis.error_reply('OUTLIVED the request took longer than its time limit')
end
local answers = work()
for n, answer in ipairs(answers) do
  local text = type(answer) == 'table' and table.concat(answer, ' ') or answer
  local is_expected = false
  for _, words in ipairs(once.words[n]) do is_expected = is_expected or words == text end
  if not is_expected then return answers end
end
redis.call('SET', key, once.new, 'PX', once.keep_ms)
return answers
