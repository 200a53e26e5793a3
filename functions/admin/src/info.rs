//! Parses the reply to INFO.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;

/// The database's reply to INFO, as names and values.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "RedisInfo")]
pub struct Info(BTreeMap<String, String>);

impl Info {
    /// Parses `name:value` lines. Skips headings and lines without a value.
    pub fn parse(text: &str) -> Info {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.trim().split_once(':'));
        Info(
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// A numeric field, if the server reports it.
    pub fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.0.get(name)?.trim().parse().ok()
    }

    /// The fraction of reads that found their key, if the server counts them.
    pub fn hit_rate(&self) -> Option<f64> {
        let hits: f64 = self.number("keyspace_hits")?;
        let misses: f64 = self.number("keyspace_misses")?;
        (hits + misses > 0.0).then(|| hits / (hits + misses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_does_not_tell_is_none_and_not_zero() {
        let info =
            Info::parse("# Stats\r\nkeyspace_hits:3\r\nkeyspace_misses:1\r\nodd\r\nurl:a:b\r\n");
        assert_eq!(info.hit_rate(), Some(0.75));
        assert_eq!(info.number::<u64>("used_memory"), None);
        assert_eq!(info.0["url"], "a:b");
        assert_eq!(Info::parse("").hit_rate(), None);
    }
}
