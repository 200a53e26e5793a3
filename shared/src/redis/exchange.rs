//! A value in the place of another, by itself or together with other work.

use std::time::Duration;

use super::commands::strings::{SetOptions, set};
use super::{Command, Repeat};

/// The value `old` of `key` for `new`, which is kept for `keep`. A script makes it as a part
/// of its own step, if its work comes out as whoever asked for it foresees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The key, a string.
    pub key: String,
    /// The value it must have.
    pub old: String,
    /// The value it gets.
    pub new: String,
    /// How long the new value is stored.
    pub keep: Duration,
}

impl Exchange {
    /// The exchange by itself; false when the key holds another value. Sent again it
    /// changes nothing, and says that the old value is gone.
    pub fn command(&self) -> Command<bool> {
        let options = SetOptions::new().expires_in(self.keep).if_equal(&self.old);
        let mut command = set(&self.key, &self.new, options);
        command.raw.repeat = Repeat::Safe;
        command
    }
}
