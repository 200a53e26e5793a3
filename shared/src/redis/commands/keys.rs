//! Keys of any type.

use std::time::Duration;

use super::whole_ms;
use crate::redis::Command;

commands! {
    /// Keys of any type.
    Keys {
        /// Lets `key` expire after `ttl`, in whole seconds (rounded up). Returns false if
        /// the key does not exist.
        fn expire(key: &str, ttl: Duration) -> bool {
            Command::safe("EXPIRE").arg(key).arg(whole_ms(ttl).div_ceil(1000))
        }

        /// Lets `key` expire after `ttl`, to the millisecond.
        fn pexpire(key: &str, ttl: Duration) -> bool {
            Command::safe("PEXPIRE").arg(key).arg(whole_ms(ttl))
        }

        /// Removes the expiry of `key`. Returns false if it has none.
        fn persist(key: &str) -> bool {
            Command::safe("PERSIST").arg(key)
        }

        /// Returns the seconds until `key` expires; −1 if it never does, −2 if it does not
        /// exist.
        fn ttl(key: &str) -> i64 {
            Command::safe("TTL").arg(key)
        }

        /// Returns the milliseconds until `key` expires; −1 if it never does, −2 if it does
        /// not exist.
        fn pttl(key: &str) -> i64 {
            Command::safe("PTTL").arg(key)
        }

        /// Removes keys. Returns how many existed. When it is sent again after a lost
        /// reply, it returns how many were left.
        fn del(keys: &[&str]) -> u64 {
            Command::safe("DEL").args(keys)
        }

        /// Removes `key` if it has this value.
        fn del_if_equal(key: &str, value: &str) -> bool {
            Command::safe("DELEX").arg(key).arg("IFEQ").arg(value)
        }

        /// Returns how many of `keys` exist. A key that is named twice counts twice.
        fn exists(keys: &[&str]) -> u64 {
            Command::safe("EXISTS").args(keys)
        }

        /// Returns a page of keys and the cursor of the next page. The first and the last
        /// cursor are `0`.
        fn scan(cursor: &str, pattern: &str, count: u32) -> (String, Vec<String>) {
            Command::safe("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(count)
        }
    }
}
