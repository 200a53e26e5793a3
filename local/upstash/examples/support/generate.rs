//! Random commands of all families, with few keys, so that types clash, and unusual
//! numbers.

use super::shapes::SHAPES;

pub struct Generator {
    state: u64,
}

const SCRIPTS: &[&str] = &[
    "return redis.call('get', KEYS[1])",
    "return redis.call('type', KEYS[1])",
    "return redis.pcall('incr', KEYS[1])",
    "return {1, 2.9, -2.9, 'x', true, false, 3}",
    "return {1, nil, 3}",
    "return {ok='fine'}",
    "return {err='BAD thing'}",
    "return {1e20, -1e20, 1e15, 2^53}",
    "return redis.call('set', KEYS[1], 1e17)",
    "return redis.call('set', KEYS[1], 0.1)",
    "return redis.call('set', KEYS[1], 3)",
    "return redis.call('hgetall', KEYS[1])",
    "return redis.call('zrange', KEYS[1], 0, -1, 'withscores')",
    "return cjson.encode({1, 2.5, 'a/b\"\\n', {}, true, cjson.null, 1e15, 123456789012})",
    "return cjson.encode({a={b={c={1,2,{d=1}}}}})",
    "return cjson.encode(cjson.decode('[1,2,{\"a\":[]},null,\"\\\\u00e9\",1.5e3]'))",
    "return cjson.decode('{\"a\":[1,2,{\"b\":false}]}').a",
    "return cjson.decode('[1,')",
    "return cjson.encode({[1]=1,[20]=2})",
    "return cjson.encode({[1]=1,[3]=2})",
    "return cjson.encode(function() end)",
    "return cjson.encode(0/0)",
    "return cmsgpack.pack({1,2,300,70000,-1,-200,'abc',1.5,true})",
    "return cmsgpack.unpack(cmsgpack.pack({1,{2,'x'},-40000,5000000000}))",
    "return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3), 1)}",
    "return {bit.band(255,15,7), bit.bor(1,2), bit.bxor(5,1), bit.lshift(1,31), bit.rshift(-1,28), bit.arshift(-256,4), bit.tobit(2^32+5), bit.bnot(0), bit.rol(1,4), bit.ror(1,4), bit.bswap(1)}",
    "return {bit.tohex(255), bit.tohex(-1,4), bit.tohex(255,-4)}",
    "return struct.pack('>I2i4bs', 258, -2, 5, 'abc')",
    "return {struct.unpack('>I2i4bs', struct.pack('>I2i4bs', 258, -2, 5, 'abc'))}",
    "return struct.size('>I2i4bd')",
    "return {struct.unpack('<Hc0', struct.pack('<Hc0', 3, 'abc'))}",
    "return tostring(redis.call('exists', KEYS[1])) .. type(redis.call('get', 'nosuchkey'))",
    "local t = redis.pcall('lpush', KEYS[1], 'a') if type(t) == 'table' then return t.err end return t",
    "local ok, e = pcall(redis.call, 'nosuch') return {tostring(ok), type(e)}",
    "local ok, e = pcall(function() return x end) return e",
    "x = 1",
    "string.foo = 1",
    "return redis.error_reply('My error')",
    "return redis.error_reply('MYERR')",
    "return redis.status_reply('hi')",
    "return redis.sha1hex('')",
    "return #ARGV .. ARGV[1]",
    "return {KEYS[1], ARGV[1]}",
    "return tostring(1/3) .. tostring(1e15) .. tostring(100)",
    "return table.concat({1,2,3.5}, ',')",
    "return string.format('%.0f %d %5.2f %s', 2^53, 42, 3.14159, 'x')",
    "return tonumber('0x10') + tonumber('1e2')",
    "return math.floor(-3.5) .. math.fmod(7, 3) .. (7 % -3)",
    "return redis.call('set', KEYS[1], nil)",
    "return redis.call()",
    "return redis.call('eval', 'return 1', 0)",
    "error('boom')",
    "error({err='CODE boom'})",
    "error()",
    "return assert(false, 'nope')",
    "syntax error",
    "local t = {} t[1] = t return #t",
    "return {{{}}, {}, {{1}}}",
    "return #KEYS",
    "redis.call('set', KEYS[1], 'v') redis.call('nosuch')",
    "local r = redis.call('xadd', KEYS[1], '5-5', 'a', 'b') return r",
    "for i = 1, 3 do redis.call('rpush', KEYS[1], i) end return redis.call('lrange', KEYS[1], 0, -1)",
    "return redis.call('zadd', KEYS[1], 1.5, 'a', -2, 'b')",
    "return redis.call('hincrby', KEYS[1], 'n', 5)",
    "return select('#', unpack(redis.call('mget', KEYS[1], 'b', 'c')))",
    "return loadstring('return 1+1')()",
    "return (pcall(loadstring, 'x x'))",
    "return rawget(_G, 'redis') ~= nil",
    "return string.rep('ab', 3, ',')",
    "return ('x'):rep(3)",
    "local s = 0 for k, v in pairs({a=1, b=2, 3}) do s = s + v end return s",
    "return redis.call('incrbyfloat', KEYS[1], 0.1)",
    "return redis.setresp(2)",
    "return redis.REDIS_VERSION ~= nil",
    "return cjson.encode({['1']=1})",
    "return -0",
    "return 'a\\0b'",
];

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn pick(&mut self, words: &[&str]) -> String {
        words[self.below(words.len())].to_owned()
    }

    pub fn command(&mut self) -> Vec<String> {
        let shape = SHAPES[self.below(SHAPES.len())];
        // Each family mostly uses its own few keys.
        let family = shape.chars().next().unwrap_or('k').to_ascii_lowercase();
        let mut words = Vec::new();
        for token in shape.split(' ') {
            let token = match token.strip_prefix('?') {
                Some(_) if self.below(2) == 0 => continue,
                Some(token) => token,
                None => token,
            };
            let word = self.word(token, family);
            words.push(word);
        }
        words
    }

    fn word(&mut self, token: &str, family: char) -> String {
        match token {
            "K" if self.below(12) == 0 => format!("k{}", self.below(6)),
            "K" => format!("{family}{}", self.below(3)),
            "Q" => format!("q{}", self.below(3)),
            "M" => self.pick(&[
                "100000",
                "200000",
                "0",
                "-1",
                "9223372036854775807",
                "x",
                "",
            ]),
            "P" => self.pick(&[
                "0", "1", "-1", "2.5", "0.1", "3", "1e3", "-0.7", "0.003", "inf", "nan", "x", "",
            ]),
            "V" => self.pick(&["a", "b", "", "hello", "10", "3.5", "é"]),
            "F" => self.pick(&["a", "b", "c", "d", "", "1", "2"]),
            "N" => self.pick(&[
                "0",
                "1",
                "-1",
                "7",
                "10",
                "9223372036854775807",
                "-9223372036854775808",
                "9223372036854775",
                "x",
                "",
                "1.5",
                " 1",
                "+1",
                "01",
            ]),
            "I" => self.pick(&["0", "1", "2", "-1", "-2", "3", "10", "-10"]),
            "S" => self.pick(&[
                "0", "1", "-1", "2.5", "0.1", "3", "1e3", "inf", "-inf", "nan", "x", "", "1e17",
                "5",
            ]),
            "B" => self.pick(&["-inf", "+inf", "0", "1", "(1", "2.5", "(3", "-1", "(x", "5"]),
            "L" => self.pick(&["-", "+", "[a", "(b", "[c", "(", "[", "x", "[d"]),
            "D" => self.pick(&[
                "1-1", "2-1", "3", "5-0", "5-*", "7-1", "9", "0-0", "x", "1-x", "20-1", "6-*",
                "4-2",
            ]),
            "R" => self.pick(&[
                "-", "+", "1", "(1-1", "5", "(5-0", "7-1", "x", "3-1", "(20-1",
            ]),
            "G" => self.pick(&["g1", "g2"]),
            "C" => self.pick(&["c1", "c2"]),
            "T" => self.pick(&["100", "1000", "0", "-5", "100"]),
            "J" => self.pick(SCRIPTS),
            token if token.contains('|') => {
                let words: Vec<&str> = token.split('|').collect();
                self.pick(&words)
            }
            token => token.to_owned(),
        }
    }
}
