//! Keys of any type.

use std::time::Duration;

use super::whole_ms;
use crate::redis::Command;

commands! {
    /// Keys of any type.
    Keys {
        /// Expires `key` after `ttl`, in whole seconds (rounded up); false when there
        /// is no such key.
        fn expire(key: &str, ttl: Duration) -> bool {
            Command::safe("EXPIRE").arg(key).arg(whole_ms(ttl).div_ceil(1000))
        }

        /// Expires `key` after `ttl`, to the millisecond.
        fn pexpire(key: &str, ttl: Duration) -> bool {
            Command::safe("PEXPIRE").arg(key).arg(whole_ms(ttl))
        }

        /// Takes the expiry of `key` away; false when it has none.
        fn persist(key: &str) -> bool {
            Command::safe("PERSIST").arg(key)
        }

        /// Seconds until `key` expires; −1 never, −2 no such key.
        fn ttl(key: &str) -> i64 {
            Command::safe("TTL").arg(key)
        }

        /// Milliseconds until `key` expires; −1 never, −2 no such key.
        fn pttl(key: &str) -> i64 {
            Command::safe("PTTL").arg(key)
        }

        /// Removes keys and answers how many there were. Sent again when the reply was
        /// lost, it answers how many were left.
        fn del(keys: &[&str]) -> u64 {
            Command::safe("DEL").args(keys)
        }

        /// Removes `key` if its value is this one.
        fn del_if_equal(key: &str, value: &str) -> bool {
            Command::safe("DELEX").arg(key).arg("IFEQ").arg(value)
        }

        /// How many of `keys` exist; one named twice counts twice.
        fn exists(keys: &[&str]) -> u64 {
            Command::safe("EXISTS").args(keys)
        }

        /// A page of keys and the cursor of the next; a cursor `0` starts and ends.
        fn scan(cursor: &str, pattern: &str, count: u32) -> (String, Vec<String>) {
            Command::safe("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(count)
        }
    }
}
