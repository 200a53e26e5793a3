//! Strings and counters.

use std::time::Duration;

use super::whole_ms;
use crate::redis::Command;

/// When a SET stores its value, and for how long.
#[derive(Clone, Debug, Default)]
pub struct SetOptions {
    expiry: Expiry,
    condition: Condition,
}

#[derive(Clone, Debug, Default)]
enum Expiry {
    #[default]
    Never,
    In(Duration),
    At(i64),
    Keep,
}

#[derive(Clone, Debug, Default)]
enum Condition {
    #[default]
    Always,
    Missing,
    Existing,
    Equal(String),
    Different(String),
}

impl SetOptions {
    /// A plain SET: no expiry, no condition.
    pub fn new() -> SetOptions {
        SetOptions::default()
    }

    /// Expires after `ttl`, to the millisecond (`PX`) and rounded up.
    pub fn expires_in(mut self, ttl: Duration) -> SetOptions {
        self.expiry = Expiry::In(ttl);
        self
    }

    /// Expires at this unix millisecond (`PXAT`).
    pub fn expires_at(mut self, at_ms: i64) -> SetOptions {
        self.expiry = Expiry::At(at_ms);
        self
    }

    /// Keeps the key's expiry (`KEEPTTL`).
    pub fn keep_expiry(mut self) -> SetOptions {
        self.expiry = Expiry::Keep;
        self
    }

    /// Only if the key does not exist (`NX`).
    pub fn if_missing(mut self) -> SetOptions {
        self.condition = Condition::Missing;
        self
    }

    /// Only if the key exists (`XX`).
    pub fn if_existing(mut self) -> SetOptions {
        self.condition = Condition::Existing;
        self
    }

    /// Only if the key has this value (`IFEQ`).
    pub fn if_equal(mut self, value: &str) -> SetOptions {
        self.condition = Condition::Equal(value.to_owned());
        self
    }

    /// Only if the key has another value (`IFNE`).
    pub fn if_different(mut self, value: &str) -> SetOptions {
        self.condition = Condition::Different(value.to_owned());
        self
    }

    fn apply<T: crate::redis::FromReply>(self, command: Command<T>) -> Command<T> {
        let command = match self.expiry {
            Expiry::Never => command,
            Expiry::In(ttl) => command.arg("PX").arg(whole_ms(ttl)),
            Expiry::At(at_ms) => command.arg("PXAT").arg(at_ms),
            Expiry::Keep => command.arg("KEEPTTL"),
        };
        match self.condition {
            Condition::Always => command,
            // A second sending would return that the key exists, or is different.
            Condition::Missing => command.arg("NX").not_repeatable(),
            Condition::Existing => command.arg("XX"),
            Condition::Equal(value) => command.arg("IFEQ").arg(value).not_repeatable(),
            Condition::Different(value) => command.arg("IFNE").arg(value).not_repeatable(),
        }
    }
}

commands! {
    /// Strings and counters.
    Strings {
        /// Returns the value of `key`.
        fn get(key: &str) -> Option<String> {
            Command::safe("GET").arg(key)
        }

        /// Returns the value of `key` as bytes.
        fn get_bytes(key: &str) -> Option<Vec<u8>> {
            Command::safe("GET").arg(key)
        }

        /// Stores `value`. Returns false if the condition of `options` did not hold.
        fn set(key: &str, value: &str, options: SetOptions) -> bool {
            options.apply(Command::safe("SET").arg(key).arg(value))
        }

        /// Stores `value` and returns the previous value, which also shows whether a
        /// condition held.
        fn set_and_get(key: &str, value: &str, options: SetOptions) -> Option<String> {
            options.apply(Command::once("SET").arg(key).arg(value)).arg("GET")
        }

        /// Returns the values of `keys`, in the same order.
        fn mget(keys: &[&str]) -> Vec<Option<String>> {
            Command::safe("MGET").args(keys)
        }

        /// Returns the values of `keys` as bytes, in the same order.
        fn mget_bytes(keys: &[&str]) -> Vec<Option<Vec<u8>>> {
            Command::safe("MGET").args(keys)
        }

        /// Returns the value of `key`, and lets the key expire `ttl` from now.
        fn get_and_expire(key: &str, ttl: Duration) -> Option<String> {
            Command::safe("GETEX").arg(key).arg("PX").arg(whole_ms(ttl))
        }

        /// Adds one, and returns the new value. A missing key counts from zero.
        fn incr(key: &str) -> i64 {
            Command::once("INCR").arg(key)
        }

        /// Adds `by`, which may be negative, and returns the new value.
        fn incrby(key: &str, by: i64) -> i64 {
            Command::once("INCRBY").arg(key).arg(by)
        }
    }
}
