//! Counts by minute, hour and day, each kept for a certain time.
//!
//! The counts of a stretch (the minutes of an hour, the hours of a day, the days of a
//! month) share a hash, which expires as a whole. Counting is one script: five billed
//! commands, and one more for each period whose first count it is. Each count carries a
//! token. If it is sent again within the hour, and before 32 others, it counts once. So a
//! count can be sent together with the work that it counts.

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

/// Clips found by jobs. A clip is counted once, when the job that found it ends or pauses.
pub const CLIPS: &str = "clips";

/// Every counter in use.
pub const ALL: [&str; 1] = [CLIPS];

/// The granularity of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Period {
    /// By the minute, kept for 3 hours.
    Minute,
    /// By the hour, kept for 8 days.
    Hour,
    /// By the day (UTC), kept for 400 days.
    Day,
}

impl Period {
    /// All periods, shortest first.
    pub const ALL: [Period; 3] = [Period::Minute, Period::Hour, Period::Day];

    /// The name in keys and routes.
    pub fn name(self) -> &'static str {
        match self {
            Period::Minute => "minute",
            Period::Hour => "hour",
            Period::Day => "day",
        }
    }

    /// The length of one period.
    pub fn length(self) -> Duration {
        Duration::from_secs(match self {
            Period::Minute => 60,
            Period::Hour => 3600,
            Period::Day => 86_400,
        })
    }

    /// The number of periods that share a key.
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

    /// How long a key is kept, in milliseconds. The last count of a stretch lives as long
    /// as the first.
    fn keep_ms(self) -> u64 {
        let stretch = self.length() * self.stretch() as u32;
        u64::try_from((self.retention() + stretch).as_millis()).unwrap_or(u64::MAX)
    }

    /// The number of the period that a time is in, counted from 1970.
    fn of(self, ms: i64) -> i64 {
        ms.div_euclid(self.length().as_millis() as i64)
    }
}

/// The counters of a deployment, by name.
#[derive(Clone)]
pub struct Counters {
    redis: Redis,
    keys: Keys,
    clock: Clock,
}

impl Counters {
    /// Returns the counters under this key prefix.
    pub fn new(redis: Redis, prefix: &str, clock: Clock) -> Counters {
        Counters {
            redis,
            keys: Keys(Prefix::new(prefix)),
            clock,
        }
    }

    /// Returns the same counters on another handle, such as one that is scoped to a
    /// request.
    pub fn on(&self, redis: &Redis) -> Counters {
        Counters {
            redis: redis.clone(),
            ..self.clone()
        }
    }

    /// Adds `by` to the counts of the current minute, hour and day.
    ///
    /// # Errors
    /// Redis could not be reached. If every reply was lost, it is unknown whether this
    /// counted.
    pub async fn add(&self, name: &str, by: u64) -> Result<(), Error> {
        // The client may send this again after a lost reply. The token makes it count once.
        let token = format!("{:016x}", fastrand::u64(..));
        let mut pipeline = Pipeline::new();
        let Some(slot) = self.add_to(&mut pipeline, name, by, &token) else {
            return Ok(());
        };
        pipeline.send(&*self.redis).await?.take(slot)?;
        Ok(())
    }

    /// Adds a count to a pipeline, unless `by` is 0. `token` identifies what is counted and
    /// has no spaces. The same token counts once.
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

    /// The places where a count of this moment is stored, for a script that increments them
    /// together with the work it counts. The script must make sure that it counts once.
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

    /// Returns the counts of the last `n` periods, each with its start in unix
    /// milliseconds, the current period last. It takes one request with a command for each
    /// stretch. Periods beyond the retention are left out.
    ///
    /// # Errors
    /// Redis could not be reached.
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
