//! Reads and writes schedules.

use super::due::Due;
use super::scripts::{self, SetRequest};
use super::{Keys, ScheduleName, ScheduledScan};
use crate::json::to_json;
use crate::redis::commands::Hashes as _;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _};
use crate::redis::{Error, Prefix, Redis};

/// The largest number of schedules of a deployment. A schedule has about 200 bytes.
const MOST: u64 = 10_000;

/// Slots that one look takes. The others are taken a minute later.
const DUE_AT_ONCE: u64 = 100;

/// The result of storing a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    Yes,
    /// There are too many schedules.
    Full,
}

/// The schedules of all guilds.
#[derive(Clone)]
pub struct Schedules {
    redis: Redis,
    keys: Keys,
}

impl Schedules {
    pub fn new(redis: Redis, prefix: &str) -> Schedules {
        Schedules {
            redis,
            keys: Keys(Prefix::new(prefix)),
        }
    }

    /// The same schedules with another client, such as one scoped to a request.
    pub fn on(&self, redis: &Redis) -> Schedules {
        Schedules {
            redis: redis.clone(),
            keys: self.keys.clone(),
        }
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The schedule of a guild or a channel. One command.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn read(&self, name: &ScheduleName) -> Result<Option<ScheduledScan>, Error> {
        let text = self.redis.hget(&self.keys.rules(), &name.text()).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Stores a schedule, whose next slot is `next`. It replaces the one before.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn write(
        &self,
        name: &ScheduleName,
        schedule: &ScheduledScan,
        next: i64,
    ) -> Result<Stored, Error> {
        let (rules, due) = (self.keys.rules(), self.keys.due());
        let request = SetRequest {
            name: &name.text(),
            text: to_json(schedule),
            revision: &schedule.revision,
            next,
            most: MOST,
        };
        Ok(
            match scripts::set(&self.redis, [&rules, &due], request).await? {
                -1 => Stored::Full,
                _ => Stored::Yes,
            },
        )
    }

    /// Removes a schedule, if there is one.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn remove(&self, name: &ScheduleName) -> Result<(), Error> {
        let (rules, due) = (self.keys.rules(), self.keys.due());
        let request = SetRequest {
            name: &name.text(),
            text: String::new(),
            revision: "",
            next: 0,
            most: MOST,
        };
        scripts::set(&self.redis, [&rules, &due], request).await?;
        Ok(())
    }

    /// The slots that have begun, the oldest first. One command, two if there are any, and
    /// one more for schedules that were changed or removed halfway.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn due(&self, now: i64) -> Result<Vec<Due>, Error> {
        let begun = Range::Score {
            min: f64::NEG_INFINITY,
            max: now as f64,
            offset: 0,
            limit: DUE_AT_ONCE,
        };
        let members = self
            .redis
            .zrange_with_scores(&self.keys.due(), begun)
            .await?;
        let members: Vec<(&str, &str, i64)> = members
            .chunks_exact(2)
            .filter_map(|pair| {
                let slot: f64 = pair[1].parse().ok()?;
                Some((pair[0].as_str(), pair[0].split('@').next()?, slot as i64))
            })
            .collect();
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<&str> = members.iter().map(|(_, name, _)| *name).collect();
        let texts = self.redis.hmget(&self.keys.rules(), &names).await?;
        let (mut found, mut stale) = (Vec::new(), Vec::new());
        for ((member, name, slot), text) in members.into_iter().zip(texts) {
            let schedule: Option<ScheduledScan> =
                text.and_then(|text| serde_json::from_str(&text).ok());
            match schedule {
                Some(schedule) if member == format!("{name}@{}", schedule.revision) => {
                    found.push(Due {
                        name: ScheduleName::parse(name),
                        member: member.to_owned(),
                        slot,
                        schedule,
                    });
                }
                _ => stale.push(member),
            }
        }
        if !stale.is_empty() {
            self.redis.zrem(&self.keys.due(), &stale).await?;
        }
        Ok(found)
    }

    /// Moves schedules on to their next slot after `now`. One that was changed or removed in
    /// the meantime stays as it is now. One command.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn move_on(&self, due: &[Due], now: i64) -> Result<(), Error> {
        let next = due.iter().map(|due| {
            let (timing, begun) = (&due.schedule.timing, due.schedule.updated_at);
            // A pattern that never comes again stays due for ever, far in the future.
            let next = timing.next(begun, now).unwrap_or(i64::MAX >> 11);
            (next as f64, due.member.as_str())
        });
        let next: Vec<(f64, &str)> = next.collect();
        if next.is_empty() {
            return Ok(());
        }
        self.redis.zadd_existing(&self.keys.due(), &next).await?;
        Ok(())
    }
}
