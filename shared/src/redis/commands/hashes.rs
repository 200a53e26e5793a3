//! Hashes.

use std::collections::BTreeMap;

use crate::redis::Command;

commands! {
    /// Hashes.
    Hashes {
        /// Sets fields. Returns how many are new.
        fn hset(key: &str, fields: &[(&str, &str)]) -> u64 {
            fields.iter().fold(Command::safe("HSET").arg(key), |command, (name, value)| {
                command.arg(name).arg(value)
            })
        }

        /// Sets a field if it does not exist. Returns false if it does.
        fn hsetnx(key: &str, field: &str, value: &str) -> bool {
            // A second sending would return that the field exists.
            Command::once("HSETNX").arg(key).arg(field).arg(value)
        }

        /// Returns the value of one field.
        fn hget(key: &str, field: &str) -> Option<String> {
            Command::safe("HGET").arg(key).arg(field)
        }

        /// Returns the values of `fields`, in the same order.
        fn hmget(key: &str, fields: &[&str]) -> Vec<Option<String>> {
            Command::safe("HMGET").arg(key).args(fields)
        }

        /// Returns every field. Empty if the key does not exist.
        fn hgetall(key: &str) -> BTreeMap<String, String> {
            Command::safe("HGETALL").arg(key)
        }

        /// Returns the names of all fields, in no order.
        fn hkeys(key: &str) -> Vec<String> {
            Command::safe("HKEYS").arg(key)
        }

        /// Removes fields. Returns how many existed.
        fn hdel(key: &str, fields: &[&str]) -> u64 {
            Command::safe("HDEL").arg(key).args(fields)
        }

        /// Adds `by` to a field, and returns the new value.
        fn hincrby(key: &str, field: &str, by: i64) -> i64 {
            Command::once("HINCRBY").arg(key).arg(field).arg(by)
        }

        /// Returns the number of fields.
        fn hlen(key: &str) -> u64 {
            Command::safe("HLEN").arg(key)
        }
    }
}
