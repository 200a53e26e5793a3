//! Hashes.

use std::collections::BTreeMap;

use crate::redis::Command;

commands! {
    /// Hashes.
    Hashes {
        /// Sets fields and answers how many are new.
        fn hset(key: &str, fields: &[(&str, &str)]) -> u64 {
            fields.iter().fold(Command::safe("HSET").arg(key), |command, (name, value)| {
                command.arg(name).arg(value)
            })
        }

        /// Sets a field that does not exist; false when it does.
        fn hsetnx(key: &str, field: &str, value: &str) -> bool {
            // A second sending would answer that it exists.
            Command::once("HSETNX").arg(key).arg(field).arg(value)
        }

        /// The value of one field.
        fn hget(key: &str, field: &str) -> Option<String> {
            Command::safe("HGET").arg(key).arg(field)
        }

        /// The values of `fields`, in their order.
        fn hmget(key: &str, fields: &[&str]) -> Vec<Option<String>> {
            Command::safe("HMGET").arg(key).args(fields)
        }

        /// Every field; empty when there is no such key.
        fn hgetall(key: &str) -> BTreeMap<String, String> {
            Command::safe("HGETALL").arg(key)
        }

        /// Removes fields and answers how many there were.
        fn hdel(key: &str, fields: &[&str]) -> u64 {
            Command::safe("HDEL").arg(key).args(fields)
        }

        /// Adds `by` to a field.
        fn hincrby(key: &str, field: &str, by: i64) -> i64 {
            Command::once("HINCRBY").arg(key).arg(field).arg(by)
        }

        /// How many fields there are.
        fn hlen(key: &str) -> u64 {
            Command::safe("HLEN").arg(key)
        }
    }
}
