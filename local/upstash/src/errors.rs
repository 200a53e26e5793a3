//! The errors that commands return.
//!
//! The wording is Redis's own, because clients and scripts compare the first word and
//! sometimes the whole text. A new error is a constant here unless it contains a value.

use std::borrow::Cow;
use std::fmt;

/// An error as it is sent to the client: an upper-case word, then a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError(Cow<'static, str>);

impl CommandError {
    pub const WRONG_TYPE: Self =
        Self::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
    pub const SYNTAX: Self = Self::fixed("ERR syntax error");
    pub const NOT_INTEGER: Self = Self::fixed("ERR value is not an integer or out of range");
    pub const NOT_FLOAT: Self = Self::fixed("ERR value is not a valid float");
    pub const HASH_NOT_INTEGER: Self = Self::fixed("ERR hash value is not an integer");
    pub const HASH_NOT_FLOAT: Self = Self::fixed("ERR hash value is not a float");
    pub const OVERFLOW: Self = Self::fixed("ERR increment or decrement would overflow");
    pub const NAN_OR_INFINITY: Self = Self::fixed("ERR increment would produce NaN or Infinity");
    pub const SCORE_NAN: Self = Self::fixed("ERR resulting score is not a number (NaN)");
    pub const NO_SUCH_KEY: Self = Self::fixed("ERR no such key");
    pub const INDEX_RANGE: Self = Self::fixed("ERR index out of range");
    pub const OUT_OF_RANGE: Self = Self::fixed("ERR value is out of range");
    pub const NOT_POSITIVE: Self = Self::fixed("ERR value is out of range, must be positive");
    pub const OFFSET_RANGE: Self = Self::fixed("ERR offset is out of range");
    pub const STRING_TOO_LONG: Self =
        Self::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    pub const MIN_MAX_FLOAT: Self = Self::fixed("ERR min or max is not a float");
    pub const MIN_MAX_LEX: Self = Self::fixed("ERR min or max not valid string range item");
    pub const WEIGHT_FLOAT: Self = Self::fixed("ERR weight value is not a float");
    pub const STREAM_ID: Self =
        Self::fixed("ERR Invalid stream ID specified as stream command argument");
    pub const STREAM_ID_SMALL: Self = Self::fixed(
        "ERR The ID specified in XADD is equal or smaller than the target stream top item",
    );
    pub const STREAM_ID_ZERO: Self =
        Self::fixed("ERR The ID specified in XADD must be greater than 0-0");
    pub const BUSY_GROUP: Self = Self::fixed("BUSYGROUP Consumer Group name already exists");
    pub const NO_SCRIPT: Self = Self::fixed("NOSCRIPT No matching script. Please use EVAL.");
    pub const BLOCKING: Self =
        Self::fixed("ERR blocking reads are not available over REST: drop the BLOCK option");

    /// An error whose text is known at compile time.
    pub const fn fixed(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// An error whose text contains a value.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Cow::Owned(text.into()))
    }

    /// The wrong number of arguments for a command.
    pub fn arity(command: &str) -> Self {
        Self::new(format!(
            "ERR wrong number of arguments for '{}' command",
            command.to_lowercase()
        ))
    }

    /// A TTL that is zero, negative where that is not allowed, or too large.
    pub fn invalid_expire(command: &str) -> Self {
        Self::new(format!("ERR invalid expire time in '{command}' command"))
    }

    /// An unknown command. The arguments are shortened as Redis does.
    pub fn unknown_command(name: &[u8], args: &[Vec<u8>]) -> Self {
        let mut beginning = String::new();
        for arg in args {
            if beginning.len() >= 128 {
                break;
            }
            let shown: String = String::from_utf8_lossy(arg).chars().take(128).collect();
            beginning.push_str(&format!("'{shown}' "));
        }
        let name: String = String::from_utf8_lossy(name).chars().take(128).collect();
        Self::new(format!(
            "ERR unknown command '{name}', with args beginning with: {beginning}"
        ))
    }

    /// The text as it is sent.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for CommandError {}
