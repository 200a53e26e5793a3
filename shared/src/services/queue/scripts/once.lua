-- once: do a script's work for whoever's mark a key holds, and leave the reply there.
--
-- The script stands before this as the function `work`, without its last key and argument:
--
-- KEYS[#KEYS]  idempotency:{scope}:{hash}  STRING  a request in progress, or its reply
-- ARGV[#ARGV]  JSON: old (the mark), new (the reply), keep_ms, and for each answer of the
--              script the words with which that reply is true
--
-- Returns what the script returns. When the key holds neither, an error, and nothing was
-- done: the request outlived its time and is another's to do. When the answers are others
-- than those foreseen, the mark stays.
local key, once = table.remove(KEYS), cjson.decode(table.remove(ARGV))
local held = redis.call('GET', key)
if held ~= once.old and held ~= once.new then
  return redis.error_reply('OUTLIVED the request outlived its time')
end
local answers = work()
for n, answer in ipairs(answers) do
  local text = type(answer) == 'table' and table.concat(answer, ' ') or answer
  local foreseen = false
  for _, words in ipairs(once.words[n]) do foreseen = foreseen or words == text end
  if not foreseen then return answers end
end
redis.call('SET', key, once.new, 'PX', once.keep_ms)
return answers
