//! Switches: on, off, for a part of the subjects, or for some by name.
//!
//! All rules are fields of one hash. The flags a request asks about are one command in
//! the pipeline of its own work. A flag that was never set is off; one whose rule cannot
//! be read is off as well.

mod keys;
mod rule;

use std::collections::BTreeMap;

pub use rule::Rule;

use crate::json::to_json;
use crate::redis::commands::hashes::{Hashes as _, hmget};
use crate::redis::{Error, Pipeline, Prefix, Redis, Replies, Slot};

/// On for a guild: scans of it are not taken on. So named because a flag that was never
/// set is off.
pub const SCANS_OFF: &str = "scans-off";

/// Every flag something asks about.
pub const ALL: [&str; 1] = [SCANS_OFF];

/// The flags of a deployment.
#[derive(Clone)]
pub struct Flags {
    key: String,
}

/// Flags that were asked for in a pipeline.
pub struct FlagsSlot {
    names: Vec<String>,
    slot: Slot<Vec<Option<String>>>,
}

/// The rules of some flags, as they were read.
#[derive(Clone, Debug, Default)]
pub struct Rules(BTreeMap<String, Rule>);

impl Rules {
    /// Whether a flag is on for a subject; off when it was not asked for.
    pub fn is_on(&self, name: &str, subject: &str) -> bool {
        let rule = self.0.get(name);
        rule.is_some_and(|rule| rule.is_on(name, subject))
    }
}

impl Flags {
    /// The flags under this key prefix.
    pub fn new(prefix: &str) -> Flags {
        Flags {
            key: keys::flags(&Prefix::new(prefix)),
        }
    }

    /// Adds the reading of flags to a pipeline: one command.
    pub fn add_read(&self, pipeline: &mut Pipeline, names: &[&str]) -> FlagsSlot {
        FlagsSlot {
            slot: pipeline.add(hmget(&self.key, names)),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// The flags [`Flags::add_read`] asked for.
    ///
    /// # Errors
    /// When they could not be read.
    pub fn read(&self, replies: &mut Replies, slot: FlagsSlot) -> Result<Rules, Error> {
        let texts = replies.take(slot.slot)?;
        let rules = slot.names.into_iter().zip(texts);
        Ok(Rules(
            rules
                .map(|(name, text)| (name, text.map(|text| parse(&text)).unwrap_or_default()))
                .collect(),
        ))
    }

    /// The rule of a flag; off when it was never set.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn get(&self, redis: &Redis, name: &str) -> Result<Rule, Error> {
        let text = redis.hget(&self.key, name).await?;
        Ok(text.map(|text| parse(&text)).unwrap_or_default())
    }

    /// Every flag with its rule.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn all(&self, redis: &Redis) -> Result<BTreeMap<String, Rule>, Error> {
        let stored = redis.hgetall(&self.key).await?;
        let rules = stored.into_iter();
        Ok(rules.map(|(name, text)| (name, parse(&text))).collect())
    }

    /// Sets the rule of a flag.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn set(&self, redis: &Redis, name: &str, rule: &Rule) -> Result<(), Error> {
        redis.hset(&self.key, &[(name, &to_json(rule))]).await?;
        Ok(())
    }

    /// Forgets a flag, which is off then; false when there was none.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn remove(&self, redis: &Redis, name: &str) -> Result<bool, Error> {
        Ok(redis.hdel(&self.key, &[name]).await? > 0)
    }
}

fn parse(text: &str) -> Rule {
    serde_json::from_str(text).unwrap_or_default()
}
