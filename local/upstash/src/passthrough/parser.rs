//! Parses RESP2 replies from a byte stream that may arrive in pieces.
//!
//! No byte is parsed twice: complete items are kept on a stack of open arrays. The cost
//! of a reply is proportional to its length, and a deeply nested reply does not use the
//! call stack.

use bytes::{Buf, Bytes, BytesMut};

use crate::reply::Reply;

/// Deeper arrays become an error, as in the embedded engine.
const MAX_DEPTH: usize = 1000;
/// Deeper than any server nests arrays. A peer that sends this is not a Redis server.
const MAX_OPEN: usize = 100_000;
/// Maximum length of a line: a status, an error or a length.
const MAX_LINE_BYTES: usize = 1 << 20;
/// Maximum length of a string that a server can be configured to send.
const MAX_BULK_BYTES: usize = 1 << 30;
/// Capacity reserved for an array before its items arrive.
const MAX_RESERVED: usize = 1024;

/// The stream is not RESP2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reply is not RESP2")]
pub struct Malformed;

#[derive(Default)]
pub struct Parser {
    open: Vec<Open>,
    /// The length of the string being received.
    bulk: Option<usize>,
    /// How far the current line has been searched for its end.
    searched: usize,
}

/// An incomplete array.
struct Open {
    left: usize,
    items: Vec<Reply>,
}

impl Parser {
    /// The next complete reply, or `None` until more bytes arrive.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, Malformed> {
        while let Some(item) = self.item(input)? {
            if let Some(whole) = self.close(item) {
                return Ok(Some(whole));
            }
        }
        Ok(None)
    }

    /// Adds an item to the innermost array and returns the reply that became complete, if
    /// any.
    fn close(&mut self, mut item: Reply) -> Option<Reply> {
        loop {
            let depth = self.open.len();
            let Some(innermost) = self.open.last_mut() else {
                return Some(item);
            };
            innermost.items.push(item);
            innermost.left -= 1;
            if innermost.left > 0 {
                return None;
            }
            let items = self.open.pop()?.items;
            item = match depth > MAX_DEPTH {
                true => Reply::Error("ERR reached lua stack limit".into()),
                false => Reply::Array(items),
            };
        }
    }

    /// The next item that contains no other items.
    fn item(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, Malformed> {
        loop {
            if let Some(length) = self.bulk {
                return self.string(input, length);
            }
            let Some(line) = self.line(input)? else {
                return Ok(None);
            };
            let (kind, text) = line.split_first().ok_or(Malformed)?;
            return Ok(Some(match kind {
                b'+' if text == b"OK" => Reply::OK,
                b'+' => Reply::StatusText(text.to_vec()),
                b'-' => Reply::Error(String::from_utf8_lossy(text).into_owned()),
                b':' => Reply::Int(number(text)?),
                b'$' => match length(text)? {
                    None => Reply::Nil,
                    Some(length) if length > MAX_BULK_BYTES => return Err(Malformed),
                    Some(length) => {
                        self.bulk = Some(length);
                        continue;
                    }
                },
                b'*' => match length(text)? {
                    None => Reply::NilArray,
                    Some(0) => Reply::Array(Vec::new()),
                    Some(_) if self.open.len() >= MAX_OPEN => return Err(Malformed),
                    Some(left) => {
                        let items = Vec::with_capacity(left.min(MAX_RESERVED));
                        self.open.push(Open { left, items });
                        continue;
                    }
                },
                _ => return Err(Malformed),
            }));
        }
    }

    fn string(&mut self, input: &mut BytesMut, length: usize) -> Result<Option<Reply>, Malformed> {
        if input.len() < length + 2 {
            return Ok(None);
        }
        if &input[length..length + 2] != b"\r\n" {
            return Err(Malformed);
        }
        let text = input[..length].to_vec();
        input.advance(length + 2);
        self.bulk = None;
        Ok(Some(Reply::Bulk(text)))
    }

    fn line(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        let end = input[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n');
        let Some(end) = end.map(|end| end + self.searched) else {
            self.searched = input.len();
            return match self.searched > MAX_LINE_BYTES {
                true => Err(Malformed),
                false => Ok(None),
            };
        };
        self.searched = 0;
        let mut line = input.split_to(end + 1).freeze();
        line.truncate(end);
        match line.ends_with(b"\r") {
            true => {
                line.truncate(end - 1);
                Ok(Some(line))
            }
            false => Err(Malformed),
        }
    }
}

fn number(text: &[u8]) -> Result<i64, Malformed> {
    let text = std::str::from_utf8(text).map_err(|_| Malformed)?;
    text.parse().map_err(|_| Malformed)
}

/// `None` stands for -1, the length of a nil.
fn length(text: &[u8]) -> Result<Option<usize>, Malformed> {
    match number(text)? {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], piece: usize) -> Result<Vec<Reply>, Malformed> {
        let (mut parser, mut input, mut replies) = (Parser::default(), BytesMut::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            input.extend_from_slice(piece);
            while let Some(reply) = parser.next(&mut input)? {
                replies.push(reply);
            }
        }
        assert!(input.is_empty());
        Ok(replies)
    }

    #[test]
    fn replies_are_the_same_in_any_pieces() {
        let wanted = vec![
            Reply::OK,
            Reply::StatusText(b"P\xffNG".to_vec()),
            Reply::Error("ERR no\u{fffd}".into()),
            Reply::Int(-7),
            Reply::Bulk(b"a\r\n$b".to_vec()),
            Reply::Bulk(Vec::new()),
            Reply::Nil,
            Reply::NilArray,
            Reply::Array(vec![
                Reply::Array(Vec::new()),
                Reply::Array(vec![Reply::Error("E".into()), Reply::Nil]),
                Reply::Int(1),
            ]),
        ];
        let bytes = b"+OK\r\n+P\xffNG\r\n-ERR no\xff\r\n:-7\r\n$5\r\na\r\n$b\r\n$0\r\n\r\n$-1\r\n*-1\r\n*3\r\n*0\r\n*2\r\n-E\r\n$-1\r\n:1\r\n";
        for piece in 1..=bytes.len() {
            assert_eq!(all(bytes, piece).as_ref(), Ok(&wanted), "by {piece}");
        }
    }

    #[test]
    fn a_deep_reply_is_cut_off_and_what_follows_is_read() {
        let mut bytes = b"*1\r\n".repeat(5000);
        bytes.extend_from_slice(b":1\r\n:2\r\n");
        let replies = all(&bytes, 4096).unwrap();
        let (mut depth, mut inner) = (0, &replies[0]);
        while let Reply::Array(items) = inner {
            (depth, inner) = (depth + 1, &items[0]);
        }
        assert_eq!(depth, MAX_DEPTH);
        assert_eq!(replies[1], Reply::Int(2));
    }

    #[test]
    fn another_protocol_is_an_error() {
        for bytes in [
            &b"HTTP/1.1 400\r\n"[..],
            b"$-2\r\n",
            b":x\r\n",
            b"+OK\n",
            b"\r\n",
            b"$1\r\nab\r\n",
        ] {
            assert_eq!(all(bytes, 64), Err(Malformed));
        }
    }
}
