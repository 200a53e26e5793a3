//! Replies, and their conversion to Rust values.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use super::{Error, ServerError};

/// A reply from the server, with strings as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No value.
    Nil,
    /// An exact integer.
    Int(i64),
    /// A string of any bytes.
    Bytes(Vec<u8>),
    /// Several replies.
    Array(Vec<Reply>),
    /// An error inside an array, as a script or a transaction may return.
    Error(ServerError),
}

impl Reply {
    fn kind(&self) -> &'static str {
        match self {
            Reply::Nil => "nothing",
            Reply::Int(_) => "an integer",
            Reply::Bytes(_) => "a string",
            Reply::Array(_) => "an array",
            Reply::Error(_) => "an error",
        }
    }
}

/// Reads the `result` of a request with `Upstash-Encoding: base64`. Every string is in
/// base64, except a plain `OK`. A stored value `OK` arrives as `T0s=`, so the two cannot be
/// confused.
impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReplyVisitor)
    }
}

struct ReplyVisitor;

impl<'de> Visitor<'de> for ReplyVisitor {
    type Value = Reply;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("null, an integer, a base64 string or an array of these")
    }

    fn visit_unit<E>(self) -> Result<Reply, E> {
        Ok(Reply::Nil)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Reply, E> {
        Ok(Reply::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Reply, E> {
        i64::try_from(value)
            .map(Reply::Int)
            .map_err(|_| E::custom("an integer beyond 64 bits"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Reply, E> {
        if text == "OK" {
            return Ok(Reply::Bytes(b"OK".to_vec()));
        }
        STANDARD
            .decode(text)
            .map(Reply::Bytes)
            .map_err(|_| E::custom("a string that is not base64"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Reply, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Reply::Array(array))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut fields: A) -> Result<Reply, A::Error> {
        let mut error = None;
        while let Some((name, text)) = fields.next_entry::<String, serde_json::Value>()? {
            if name == "error" {
                error = text.as_str().map(ServerError::new);
            }
        }
        error
            .map(Reply::Error)
            .ok_or_else(|| de::Error::custom("an object that is no error"))
    }
}

/// A type that a reply can be converted to.
pub trait FromReply: Sized {
    /// Converts a reply.
    ///
    /// # Errors
    /// [`Error::UnexpectedReply`] if the reply has another shape; [`Error::Server`] if it
    /// is an error.
    fn from_reply(reply: Reply) -> Result<Self, Error>;
}

fn unexpected<T>(expected: &'static str, reply: Reply) -> Result<T, Error> {
    match reply {
        Reply::Error(error) => Err(Error::Server(error)),
        other => Err(Error::UnexpectedReply {
            expected,
            found: other.kind(),
        }),
    }
}

impl FromReply for Reply {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        Ok(reply)
    }
}

/// Accepts any reply that is not an error.
impl FromReply for () {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Error(error) => Err(Error::Server(error)),
            _ => Ok(()),
        }
    }
}

impl FromReply for Vec<u8> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Bytes(bytes) => Ok(bytes),
            other => unexpected("a string", other),
        }
    }
}

/// A UTF-8 string. Other bytes are an error and are not replaced.
impl FromReply for String {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Bytes(bytes) => String::from_utf8(bytes).map_err(|_| Error::UnexpectedReply {
                expected: "text",
                found: "bytes that are not UTF-8",
            }),
            Reply::Int(number) => Ok(number.to_string()),
            other => unexpected("a string", other),
        }
    }
}

impl FromReply for i64 {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Int(number) => Ok(number),
            Reply::Bytes(bytes) => parse(&bytes, "an integer"),
            other => unexpected("an integer", other),
        }
    }
}

impl FromReply for u64 {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        u64::try_from(i64::from_reply(reply)?).map_err(|_| Error::UnexpectedReply {
            expected: "a count",
            found: "a negative number",
        })
    }
}

impl FromReply for f64 {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Bytes(bytes) => parse(&bytes, "a number"),
            Reply::Int(number) => Ok(number as f64),
            other => unexpected("a number", other),
        }
    }
}

/// `true` for `OK` and a non-zero integer; `false` for nil and zero.
impl FromReply for bool {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Nil => Ok(false),
            Reply::Int(number) => Ok(number != 0),
            Reply::Bytes(bytes) if bytes == b"OK" => Ok(true),
            other => unexpected("yes or no", other),
        }
    }
}

impl<T: FromReply> FromReply for Option<T> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Nil => Ok(None),
            other => T::from_reply(other).map(Some),
        }
    }
}

/// An array. Nil becomes an empty vector, because `XREAD` returns it for no entries.
/// `Vec<u8>` is a string and not an array, hence the bound on [`Element`].
impl<T: Element> FromReply for Vec<T> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Array(items) => items.into_iter().map(T::from_reply).collect(),
            Reply::Nil => Ok(Vec::new()),
            other => unexpected("an array", other),
        }
    }
}

/// A type that an array's elements can be converted to.
pub trait Element: FromReply {}
impl Element for Reply {}
impl Element for String {}
impl Element for Vec<u8> {}
impl Element for i64 {}
impl Element for u64 {}
impl Element for bool {}
impl<T: FromReply> Element for Option<T> {}
impl<A: FromReply, B: FromReply> Element for (A, B) {}
impl<A: FromReply, B: FromReply, C: FromReply, D: FromReply> Element for (A, B, C, D) {}

macro_rules! tuple {
    ($count:literal: $($part:ident),+) => {
        /// An array of exactly this many elements.
        impl<$($part: FromReply),+> FromReply for ($($part,)+) {
            fn from_reply(reply: Reply) -> Result<Self, Error> {
                match reply {
                    Reply::Array(items) if items.len() == $count => {
                        let mut items = items.into_iter();
                        Ok(($($part::from_reply(items.next().unwrap_or(Reply::Nil))?,)+))
                    }
                    other => unexpected(concat!("an array of ", $count), other),
                }
            }
        }
    };
}
tuple!(2: A, B);
tuple!(3: A, B, C);
tuple!(4: A, B, C, D);
tuple!(5: A, B, C, D, E);
tuple!(6: A, B, C, D, E, F);

/// Alternating names and values, as `HGETALL` returns them.
impl<T: FromReply> FromReply for HashMap<String, T> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        Ok(pairs(reply)?.into_iter().collect())
    }
}

/// Like [`HashMap`], but sorted by name.
impl<T: FromReply> FromReply for BTreeMap<String, T> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        Ok(pairs(reply)?.into_iter().collect())
    }
}

/// Splits an array of alternating names and values.
pub(super) fn pairs<T: FromReply>(reply: Reply) -> Result<Vec<(String, T)>, Error> {
    let items = match reply {
        Reply::Array(items) if items.len() % 2 == 0 => items,
        Reply::Nil => Vec::new(),
        other => return unexpected("names and values", other),
    };
    let mut items = items.into_iter();
    let mut all = Vec::with_capacity(items.len() / 2);
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        all.push((String::from_reply(name)?, T::from_reply(value)?));
    }
    Ok(all)
}

fn parse<T: std::str::FromStr>(bytes: &[u8], expected: &'static str) -> Result<T, Error> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(Error::UnexpectedReply {
            expected,
            found: "a string",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Reply {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn strings_are_decoded_but_a_plain_ok_is_not() {
        assert_eq!(read(r#""OK""#), Reply::Bytes(b"OK".to_vec()));
        assert_eq!(read(r#""T0s=""#), Reply::Bytes(b"OK".to_vec()));
        assert_eq!(read(r#""/wD+""#), Reply::Bytes(vec![0xff, 0, 0xfe]));
        assert!(serde_json::from_str::<Reply>(r#""no base64!""#).is_err());
    }

    #[test]
    fn integers_are_exact_beyond_two_to_the_53rd() {
        assert_eq!(
            i64::from_reply(read("9007199254740993")).unwrap(),
            9_007_199_254_740_993
        );
    }

    #[test]
    fn a_reply_of_another_shape_is_an_error_that_names_both() {
        let error = i64::from_reply(Reply::Array(vec![])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected an integer, Redis answered an array"
        );
    }

    #[test]
    fn names_and_values_become_a_map() {
        let reply = read(r#"["YQ==", "MQ==", "Yg==", "Mg=="]"#);
        let map = BTreeMap::<String, i64>::from_reply(reply).unwrap();
        assert_eq!(map, BTreeMap::from([("a".into(), 1), ("b".into(), 2)]));
    }
}
