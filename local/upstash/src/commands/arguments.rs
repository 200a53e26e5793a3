//! Parses arguments: numbers and options, with Redis's errors for invalid ones.

use crate::errors::CommandError;
use crate::number;

/// A whole number, or `ERR value is not an integer or out of range`.
pub fn integer(arg: &[u8]) -> Result<i64, CommandError> {
    number::parse_i64(arg).ok_or(CommandError::NOT_INTEGER)
}

/// A float, or `ERR value is not a valid float`.
pub fn float(arg: &[u8]) -> Result<f64, CommandError> {
    number::parse_f64(arg).ok_or(CommandError::NOT_FLOAT)
}

/// A count of zero or more. Anything else fails with the error `refused`.
pub fn count(arg: &[u8], refused: CommandError) -> Result<usize, CommandError> {
    number::parse_i64(arg)
        .and_then(|value| usize::try_from(value).ok())
        .ok_or(refused)
}

/// Whether an argument is this keyword, in any case.
pub fn is(arg: &[u8], keyword: &str) -> bool {
    arg.eq_ignore_ascii_case(keyword.as_bytes())
}

/// The options at the end of a command, read from left to right.
pub struct Options<'a> {
    args: &'a [Vec<u8>],
    at: usize,
}

impl<'a> Options<'a> {
    pub fn new(args: &'a [Vec<u8>], from: usize) -> Self {
        Self { args, at: from }
    }

    /// The next word in upper case; `None` at the end.
    pub fn word(&mut self) -> Option<String> {
        let word = self.args.get(self.at)?;
        self.at += 1;
        Some(String::from_utf8_lossy(word).to_ascii_uppercase())
    }

    /// The value that belongs to the word just read.
    pub fn value(&mut self) -> Result<&'a Vec<u8>, CommandError> {
        let value = self.args.get(self.at).ok_or(CommandError::SYNTAX)?;
        self.at += 1;
        Ok(value)
    }

    pub fn integer(&mut self) -> Result<i64, CommandError> {
        integer(self.value()?)
    }

    /// How many arguments are left.
    pub fn n_left(&self) -> usize {
        self.args.len() - self.at
    }

    /// The remaining arguments, without consuming them.
    pub fn rest(&self) -> &'a [Vec<u8>] {
        &self.args[self.at..]
    }

    pub fn skip(&mut self, n: usize) {
        self.at += n;
    }

    /// Steps back over the word just read.
    pub fn unread(&mut self) {
        self.at -= 1;
    }
}

/// Resolves `start` and `stop`, where negative values count from the end. Returns `None`
/// if the range is empty.
pub fn index_range(start: i64, stop: i64, len: usize) -> Option<(usize, usize)> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_end = |index: i64| {
        if index < 0 {
            index.saturating_add(len)
        } else {
            index
        }
    };
    let start = from_end(start).max(0);
    let stop = from_end(stop).min(len - 1);
    (start <= stop && start < len).then_some((start as usize, stop as usize))
}
