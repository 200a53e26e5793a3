//! Counts by the minute, the hour and the day, each kept for its time.
//!
//! The counts of a stretch (an hour of minutes, a day of hours, a month of days) share a
//! hash, which expires as a whole. Counting is one script, five billed commands and one
//! more for each period it is the first of. A count has a token: sent again within the
//! hour, and before 32 others, it counts once. So it may travel with what it counts.

mod keys;

use std::collections::BTreeMap;
use std::time::Duration;

pub use keys::Keys;

use crate::clock::Clock;
use crate::redis::commands::hashes::hgetall;
use crate::redis::{CountPlace, Error, Pipeline, Prefix, Redis, Script, Slot, lua_files};

static ADD: Script = Script::new("add", lua_files!["add"]).running(5);

/// Every script, for tests that read them.
pub static SCRIPTS: &[&Script] = &[&ADD];

/// Clips that jobs found, each counted once: when the job that found it ends or pauses.
pub const CLIPS: &str = "clips";

/// Every counter something counts.
pub const ALL: [&str; 1] = [CLIPS];

/// How finely is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Period {
    /// Kept for 3 hours.
    Minute,
    /// Kept for 8 days.
    Hour,
    /// Kept for 400 days.
    Day,
}

impl Period {
    /// All of them, the shortest first.
    pub const ALL: [Period; 3] = [Period::Minute, Period::Hour, Period::Day];

    /// As it stands in keys and routes.
    pub fn name(self) -> &'static str {
        match self {
            Period::Minute => "minute",
            Period::Hour => "hour",
            Period::Day => "day",
        }
    }

    /// How long one period is.
    pub fn length(self) -> Duration {
        Duration::from_secs(match self {
            Period::Minute => 60,
            Period::Hour => 3600,
            Period::Day => 86_400,
        })
    }

    /// Periods that share a key.
    fn stretch(self) -> i64 {
        match self {
            Period::Minute => 60,
            Period::Hour => 24,
            Period::Day => 30,
        }
    }

    /// How long a count can be read.
    pub fn retention(self) -> Duration {
        let hour = Duration::from_secs(3600);
        match self {
            Period::Minute => 3 * hour,
            Period::Hour => 8 * 24 * hour,
            Period::Day => 400 * 24 * hour,
        }
    }

    /// How many periods can be read.
    pub fn kept(self) -> u32 {
        let kept = self.retention().as_secs() / self.length().as_secs();
        u32::try_from(kept).unwrap_or(u32::MAX)
    }

    /// Milliseconds a key is kept: the last count of a stretch as long as the first.
    fn keep_ms(self) -> u64 {
        let stretch = self.length() * self.stretch() as u32;
        u64::try_from((self.retention() + stretch).as_millis()).unwrap_or(u64::MAX)
    }

    /// Which period since 1970 a moment is in.
    fn of(self, ms: i64) -> i64 {
        ms.div_euclid(self.length().as_millis() as i64)
    }
}

/// Counters by their names.
#[derive(Clone)]
pub struct Counters {
    redis: Redis,
    keys: Keys,
    clock: Clock,
}

impl Counters {
    /// The counters under this key prefix.
    pub fn new(redis: Redis, prefix: &str, clock: Clock) -> Counters {
        Counters {
            redis,
            keys: Keys(Prefix::new(prefix)),
            clock,
        }
    }

    /// The same counters through another handle, such as one scoped to a request.
    pub fn on(&self, redis: &Redis) -> Counters {
        Counters {
            redis: redis.clone(),
            ..self.clone()
        }
    }

    /// Counts `by` in the minute, the hour and the day it is.
    ///
    /// # Errors
    /// When Redis cannot be reached; whether it counted is unknown when every reply was
    /// lost.
    pub async fn add(&self, name: &str, by: u64) -> Result<(), Error> {
        // The client may send it again when the reply is lost: the same token counts once.
        let token = format!("{:016x}", fastrand::u64(..));
        let mut pipeline = Pipeline::new();
        let Some(slot) = self.add_to(&mut pipeline, name, by, &token) else {
            return Ok(());
        };
        pipeline.send(&*self.redis).await?.take(slot)?;
        Ok(())
    }

    /// Adds a count to a pipeline; nothing for a count of nothing. `token` names what is
    /// counted, without spaces: the same counts once.
    pub fn add_to(
        &self,
        pipeline: &mut Pipeline,
        name: &str,
        by: u64,
        token: &str,
    ) -> Option<Slot<u64>> {
        if by == 0 {
            return None;
        }
        let now = self.clock.now_ms();
        let mut keys = Vec::with_capacity(3);
        let mut args = vec![by.to_string(), token.to_owned()];
        for period in Period::ALL {
            let number = period.of(now);
            keys.push(self.key(name, period, number));
            args.push(number.rem_euclid(period.stretch()).to_string());
            args.push(period.keep_ms().to_string());
        }
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        Some(pipeline.add_script(&ADD, &keys, &args))
    }

    /// Where a count of this moment goes, for another script that raises it with what it
    /// counts: once, since that is done once.
    pub fn places(&self, name: &str) -> Vec<CountPlace> {
        let now = self.clock.now_ms();
        let place = |period: Period| {
            let number = period.of(now);
            CountPlace {
                key: self.key(name, period, number),
                place: number.rem_euclid(period.stretch()).to_string(),
                keep_ms: period.keep_ms(),
            }
        };
        Period::ALL.into_iter().map(place).collect()
    }

    /// The counts of the last `n` periods, each with the unix millisecond it began, the one
    /// under way last, in one request with a command for each stretch; none beyond the
    /// retention.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn last(&self, name: &str, period: Period, n: u32) -> Result<Vec<(i64, u64)>, Error> {
        let n = i64::from(n.min(period.kept()));
        if n == 0 {
            return Ok(Vec::new());
        }
        let newest = period.of(self.clock.now_ms());
        let numbers = newest - n + 1..=newest;
        let stretch = |number: i64| number.div_euclid(period.stretch());
        let mut pipeline = Pipeline::new();
        let slots: Vec<_> = (stretch(*numbers.start())..=stretch(newest))
            .map(|at| {
                (
                    at,
                    pipeline.add(hgetall(&self.keys.stretch(name, period.name(), at))),
                )
            })
            .collect();
        let mut replies = pipeline.send(&*self.redis).await?;
        let mut counts = BTreeMap::new();
        for (at, slot) in slots {
            for (place, count) in replies.take(slot)? {
                if let (Ok(place), Ok(count)) = (place.parse::<i64>(), count.parse::<u64>()) {
                    counts.insert(at * period.stretch() + place, count);
                }
            }
        }
        Ok(numbers
            .map(|number| {
                let began = number * period.length().as_millis() as i64;
                (began, counts.get(&number).copied().unwrap_or(0))
            })
            .collect())
    }

    fn key(&self, name: &str, period: Period, number: i64) -> String {
        let stretch = number.div_euclid(period.stretch());
        self.keys.stretch(name, period.name(), stretch)
    }
}
