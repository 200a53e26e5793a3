//! A replacement of one value by another, made alone or together with other work.

use std::time::Duration;

use super::commands::strings::{SetOptions, set};
use super::{Command, Repeat};

/// Replaces the value `old` of `key` with `new`, which is kept for `keep`. A script makes
/// the exchange as part of its own step, if its work has the result that the caller
/// expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The key, a string.
    pub key: String,
    /// The value that it must have.
    pub old: String,
    /// The value that it gets.
    pub new: String,
    /// How long the new value is stored.
    pub keep: Duration,
}

impl Exchange {
    /// The command that makes the exchange alone. It returns false if the key has another
    /// value. Sent again, it changes nothing and returns false, because the old value is
    /// gone.
    pub fn command(&self) -> Command<bool> {
        let options = SetOptions::new().expires_in(self.keep).if_equal(&self.old);
        let mut command = set(&self.key, &self.new, options);
        command.raw.repeat = Repeat::Safe;
        command
    }
}
