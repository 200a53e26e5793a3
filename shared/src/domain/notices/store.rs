//! Reads and writes webhooks and items.

use std::time::Duration;

use super::{Item, Keys, Webhook};
use crate::json::to_json;
use crate::redis::commands::Keys as _;
use crate::redis::commands::hashes::{Hashes as _, hset};
use crate::redis::commands::keys::{expire, pttl};
use crate::redis::commands::strings::{SetOptions, Strings as _, set};
use crate::redis::{Error, Pipeline, Prefix, Redis};

/// How long items are kept that cannot be sent.
const ITEM_LIFE: Duration = Duration::from_secs(86_400);

/// The shortest time between two notices of a guild.
const PAUSE: Duration = Duration::from_secs(60);

/// Whether a notice may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Yes, and no other for a minute.
    Now,
    /// One was sent less than a minute ago.
    In(Duration),
}

/// The webhooks of all guilds, and what is to be told them.
#[derive(Clone)]
pub struct Notices {
    redis: Redis,
    keys: Keys,
}

impl Notices {
    pub fn new(redis: Redis, prefix: &str) -> Notices {
        Notices {
            redis,
            keys: Keys(Prefix::new(prefix)),
        }
    }

    /// The same notices with another client, such as one scoped to a request.
    pub fn on(&self, redis: &Redis) -> Notices {
        Notices {
            redis: redis.clone(),
            keys: self.keys.clone(),
        }
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The webhook of a guild.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn webhook(&self, guild_id: &str) -> Result<Option<Webhook>, Error> {
        let text = self.redis.get(&self.keys.webhook(guild_id)).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Stores the webhook of a guild. It replaces the one before.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn set_webhook(&self, guild_id: &str, webhook: &Webhook) -> Result<(), Error> {
        let key = self.keys.webhook(guild_id);
        let text = to_json(webhook);
        self.redis.set(&key, &text, SetOptions::new()).await?;
        Ok(())
    }

    /// Removes the webhook of a guild, and what was to be told it.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn remove_webhook(&self, guild_id: &str) -> Result<(), Error> {
        let keys = [self.keys.webhook(guild_id), self.keys.pending(guild_id)];
        self.redis.del(&[&keys[0], &keys[1]]).await?;
        Ok(())
    }

    /// Adds an item to what is to be told. The same scan has one item. Two commands.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn add(&self, guild_id: &str, item: &Item) -> Result<(), Error> {
        let key = self.keys.pending(guild_id);
        let mut pipeline = Pipeline::new();
        let added = pipeline.add(hset(&key, &[(&item.scan_id, &to_json(item))]));
        pipeline.add(expire(&key, ITEM_LIFE));
        pipeline.send(&*self.redis).await?.take(added)?;
        Ok(())
    }

    /// What is to be told, the oldest first. An item that cannot be read is left out.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn pending(&self, guild_id: &str) -> Result<Vec<Item>, Error> {
        let stored = self.redis.hgetall(&self.keys.pending(guild_id)).await?;
        let mut items: Vec<Item> = stored
            .values()
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect();
        items.sort_by(|a, b| (a.at, &a.scan_id).cmp(&(b.at, &b.scan_id)));
        Ok(items)
    }

    /// Whether a notice may be sent now. If so, no other may for a minute. Two commands.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn claim(&self, guild_id: &str, who: &str) -> Result<Due, Error> {
        let key = self.keys.sent(guild_id);
        let mut pipeline = Pipeline::new();
        let once = SetOptions::new().if_missing().expires_in(PAUSE);
        let claimed = pipeline.add(set(&key, who, once));
        let left = pipeline.add(pttl(&key));
        let mut replies = pipeline.send(&*self.redis).await?;
        if replies.take(claimed)? {
            return Ok(Due::Now);
        }
        let left = u64::try_from(replies.take(left)?).unwrap_or(0);
        Ok(Due::In(Duration::from_millis(left.max(1))))
    }

    /// Forgets items that were sent.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn forget(&self, guild_id: &str, items: &[Item]) -> Result<(), Error> {
        let ids: Vec<&str> = items.iter().map(|item| item.scan_id.as_str()).collect();
        if !ids.is_empty() {
            self.redis.hdel(&self.keys.pending(guild_id), &ids).await?;
        }
        Ok(())
    }
}
