//! `cjson.decode`.

use mlua::{Lua, Value};

use super::cjson::Settings;

pub struct Reader<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
    settings: Settings,
}

impl<'a> Reader<'a> {
    pub fn new(lua: &'a Lua, text: &'a [u8], settings: Settings) -> Self {
        Self {
            lua,
            text,
            at: 0,
            settings,
        }
    }

    pub fn document(&mut self) -> Result<Value, mlua::Error> {
        let value = self.value(0)?;
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.expected("the end")),
        }
    }

    fn expected(&self, what: &str) -> mlua::Error {
        let found = match self.text.get(self.at) {
            None => "T_END",
            Some(_) => "invalid token",
        };
        let character = self.at + 1;
        mlua::Error::runtime(format!(
            "Expected {what} but found {found} at character {character}"
        ))
    }

    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn value(&mut self, depth: usize) -> Result<Value, mlua::Error> {
        match self.peek() {
            Some(b'"') => {
                let text = self.string()?;
                Ok(Value::String(self.lua.create_string(&text)?))
            }
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b't') if self.word(b"true") => Ok(Value::Boolean(true)),
            Some(b'f') if self.word(b"false") => Ok(Value::Boolean(false)),
            Some(b'n') if self.word(b"null") => Ok(Value::NULL),
            Some(b'-' | b'+' | b'0'..=b'9' | b'i' | b'I' | b'n' | b'N') => self.number(),
            _ => Err(self.expected("value")),
        }
    }

    fn word(&mut self, word: &[u8]) -> bool {
        let found = self.text[self.at..].starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn check_depth(&self, depth: usize) -> Result<(), mlua::Error> {
        match depth > self.settings.decode_depth {
            true => Err(mlua::Error::runtime(format!(
                "Found too many nested data structures ({depth})"
            ))),
            false => Ok(()),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, mlua::Error> {
        self.check_depth(depth)?;
        self.at += 1;
        let table = self.lua.create_table()?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Table(table));
        }
        for index in 1.. {
            let item = self.value(depth)?;
            table.raw_set(index, item)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.expected("comma or array end")),
            }
        }
        self.at += 1;
        Ok(Value::Table(table))
    }

    fn object(&mut self, depth: usize) -> Result<Value, mlua::Error> {
        self.check_depth(depth)?;
        self.at += 1;
        let table = self.lua.create_table()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Table(table));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("object key string"));
            }
            let name = self.string()?;
            if self.peek() != Some(b':') {
                return Err(self.expected("colon"));
            }
            self.at += 1;
            let value = self.value(depth)?;
            table.raw_set(self.lua.create_string(&name)?, value)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.expected("comma or object end")),
            }
        }
        self.at += 1;
        Ok(Value::Table(table))
    }

    /// A number as C's `strtod` parses it, including `0x10`, `inf` and `nan`.
    fn number(&mut self) -> Result<Value, mlua::Error> {
        let rest = &self.text[self.at..];
        let len = rest
            .iter()
            .position(|byte| !matches!(byte, b'+' | b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z'))
            .unwrap_or(rest.len());
        let text = std::str::from_utf8(&rest[..len]).unwrap_or_default();
        let bare = text.trim_start_matches(['-', '+']);
        let value = match bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16).ok().map(|value| value as f64),
            // JSON does not allow leading zeros, and cjson rejects them.
            None if bare.len() > 1
                && bare.starts_with('0')
                && bare.as_bytes()[1].is_ascii_digit() =>
            {
                None
            }
            None => text.parse::<f64>().ok(),
        };
        match value {
            Some(value) if value.is_finite() || self.settings.decode_invalid => {
                self.at += len;
                Ok(Value::Number(value))
            }
            _ => Err(self.expected("value")),
        }
    }

    fn string(&mut self) -> Result<Vec<u8>, mlua::Error> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match self.text.get(self.at) {
                None | Some(0..0x20) => return Err(self.expected("string")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                Some(byte) => {
                    out.push(*byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), mlua::Error> {
        let kind = self.text.get(self.at + 1).copied();
        if kind == Some(b'u') {
            let first = self.hex(self.at + 2)?;
            self.at += 6;
            let mut code = first;
            if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
                let second = self.hex(self.at + 2)?;
                if (0xdc00..0xe000).contains(&second) {
                    code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    self.at += 6;
                }
            }
            let found = char::from_u32(code).ok_or_else(|| self.expected("string"))?;
            out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        out.push(match kind {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(literal @ (b'"' | b'\\' | b'/')) => literal,
            _ => return Err(self.expected("string")),
        });
        self.at += 2;
        Ok(())
    }

    fn hex(&self, at: usize) -> Result<u32, mlua::Error> {
        self.text
            .get(at..at + 4)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.expected("string"))
    }
}
