//! Feature flags: on, off, on for a percentage of the subjects, or on for listed subjects.
//!
//! All rules are fields of one hash. A request reads the flags it needs with one command in
//! its own pipeline. A flag that was never set is off, and so is a flag whose rule cannot
//! be read.

mod keys;
mod rule;

use std::collections::BTreeMap;

pub use rule::Rule;

use crate::json::to_json;
use crate::redis::commands::hashes::{Hashes as _, hmget};
use crate::redis::{Error, Pipeline, Prefix, Redis, Replies, Slot};

/// If on for a guild, its scans are refused. The name is negative because a flag that was
/// never set is off.
pub const SCANS_OFF: &str = "scans-off";

/// Every flag in use.
pub const ALL: [&str; 1] = [SCANS_OFF];

/// The flags of a deployment.
#[derive(Clone)]
pub struct Flags {
    key: String,
}

/// The place of flags in a pipeline's replies.
pub struct FlagsSlot {
    names: Vec<String>,
    slot: Slot<Vec<Option<String>>>,
}

/// The rules of the flags that were read.
#[derive(Clone, Debug, Default)]
pub struct Rules(BTreeMap<String, Rule>);

impl Rules {
    /// Whether a flag is on for a subject. A flag that was not read is off.
    pub fn is_on(&self, name: &str, subject: &str) -> bool {
        let rule = self.0.get(name);
        rule.is_some_and(|rule| rule.is_on(name, subject))
    }
}

impl Flags {
    /// Returns the flags under this key prefix.
    pub fn new(prefix: &str) -> Flags {
        Flags {
            key: keys::flags(&Prefix::new(prefix)),
        }
    }

    /// Adds the read of flags to a pipeline: one command.
    pub fn add_read(&self, pipeline: &mut Pipeline, names: &[&str]) -> FlagsSlot {
        FlagsSlot {
            slot: pipeline.add(hmget(&self.key, names)),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Returns the flags that [`Flags::add_read`] asked for.
    ///
    /// # Errors
    /// The flags could not be read.
    pub fn read(&self, replies: &mut Replies, slot: FlagsSlot) -> Result<Rules, Error> {
        let texts = replies.take(slot.slot)?;
        let rules = slot.names.into_iter().zip(texts);
        Ok(Rules(
            rules
                .map(|(name, text)| (name, text.map(|text| parse(&text)).unwrap_or_default()))
                .collect(),
        ))
    }

    /// Returns the rule of a flag. A flag that was never set is off.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn get(&self, redis: &Redis, name: &str) -> Result<Rule, Error> {
        let text = redis.hget(&self.key, name).await?;
        Ok(text.map(|text| parse(&text)).unwrap_or_default())
    }

    /// Returns every flag with its rule.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn all(&self, redis: &Redis) -> Result<BTreeMap<String, Rule>, Error> {
        let stored = redis.hgetall(&self.key).await?;
        let rules = stored.into_iter();
        Ok(rules.map(|(name, text)| (name, parse(&text))).collect())
    }

    /// Sets the rule of a flag.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn set(&self, redis: &Redis, name: &str, rule: &Rule) -> Result<(), Error> {
        redis.hset(&self.key, &[(name, &to_json(rule))]).await?;
        Ok(())
    }

    /// Removes a flag, which turns it off. Returns false if it was not set.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn remove(&self, redis: &Redis, name: &str) -> Result<bool, Error> {
        Ok(redis.hdel(&self.key, &[name]).await? > 0)
    }
}

fn parse(text: &str) -> Rule {
    serde_json::from_str(text).unwrap_or_default()
}
