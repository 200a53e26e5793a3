//! Parses command arrays in JSON.
//!
//! The parser is hand-written because arguments keep their source text:
//! `12345678901234567890` and `1.0` reach the command as written, and a lone surrogate
//! becomes U+FFFD.

use crate::engine::Command;

/// The body is not a command array, or not an array of command arrays.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("ERR failed to parse the request body: {0} at byte {1}")]
pub struct BadJson(&'static str, usize);

/// Reads `["SET","foo",1,true]`.
pub fn command(body: &str) -> Result<Command, BadJson> {
    let mut reader = Reader {
        text: body.as_bytes(),
        at: 0,
    };
    let command = reader.command()?;
    reader.end()?;
    Ok(command)
}

/// Reads an array of command arrays.
pub fn commands(body: &str) -> Result<Vec<Command>, BadJson> {
    let mut reader = Reader {
        text: body.as_bytes(),
        at: 0,
    };
    let mut commands = Vec::new();
    reader.array(|reader| {
        commands.push(reader.command()?);
        Ok(())
    })?;
    reader.end()?;
    Ok(commands)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn error(&self, what: &'static str) -> BadJson {
        BadJson(what, self.at)
    }

    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn end(&mut self) -> Result<(), BadJson> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("trailing characters")),
        }
    }

    fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), BadJson>,
    ) -> Result<(), BadJson> {
        if self.peek() != Some(b'[') {
            return Err(self.error("expected an array"));
        }
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.error("expected `,` or `]`")),
            }
        }
    }

    fn command(&mut self) -> Result<Command, BadJson> {
        let mut args = Vec::new();
        self.array(|reader| {
            args.push(reader.argument()?);
            Ok(())
        })?;
        Ok(args)
    }

    fn argument(&mut self) -> Result<Vec<u8>, BadJson> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            _ => Err(self.error("expected a string, a number or a boolean")),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<Vec<u8>, BadJson> {
        if !self.text[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("expected a string, a number or a boolean"));
        }
        self.at += word.len();
        Ok(word.into())
    }

    fn number(&mut self) -> Result<Vec<u8>, BadJson> {
        let start = self.at;
        while let Some(b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.text.get(self.at) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let valid = std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok());
        match valid {
            true => Ok(text.to_vec()),
            false => Err(self.error("invalid number")),
        }
    }

    fn string(&mut self) -> Result<Vec<u8>, BadJson> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let plain = plain.ok_or_else(|| self.error("unterminated string"))?;
            out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match self.text[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => self.escape(&mut out)?,
                _ => return Err(self.error("control character in a string")),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), BadJson> {
        let kind = self.text.get(self.at + 1).copied();
        self.at += 2;
        out.push(match kind {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(literal @ (b'"' | b'\\' | b'/')) => literal,
            Some(b'u') => {
                let found = self.unicode()?;
                out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.error("invalid escape")),
        });
        Ok(())
    }

    fn hex(&mut self) -> Result<u32, BadJson> {
        let digits = self.text.get(self.at..self.at + 4);
        let value = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let value = value.ok_or_else(|| self.error("invalid escape"))?;
        self.at += 4;
        Ok(value)
    }

    fn unicode(&mut self) -> Result<char, BadJson> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_their_source_text() {
        let args = command(
            r#" ["SET", "é\n\u00e9\ud83d\ude00\ud83d", 12345678901234567890, -1.50, 1e+21, true] "#,
        );
        let args: Vec<String> = args
            .unwrap()
            .into_iter()
            .map(|arg| String::from_utf8(arg).unwrap())
            .collect();
        let expected = [
            "SET",
            "é\né😀\u{fffd}",
            "12345678901234567890",
            "-1.50",
            "1e+21",
            "true",
        ];
        assert_eq!(args, expected);
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for body in [
            "",
            "{}",
            "[",
            "[1",
            "[1,]",
            "[null]",
            "[[1]]",
            "[\"a]",
            "[1] x",
            "[tru]",
            "[\"\\u12\"]",
        ] {
            assert!(command(body).is_err(), "{body}");
        }
    }
}
