//! The settings of the queue and its drainer.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::environment::{ConfigError, Environment};

/// The queue and its drainer.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// How long a claimed job is reserved for its drainer, which renews the lease while the
    /// job runs. Too short, and a slow reply makes a job run twice; too long, and a crashed
    /// job waits. In milliseconds, from `QUEUE_LEASE_MS`. Defaults to 60000; 15000 to
    /// 900000.
    pub lease: Duration,
    /// The number of attempts after which a job fails for good, if the job does not set its
    /// own, from `QUEUE_MAX_ATTEMPTS`. Defaults to 3; 1 to 100. It is stored with each job,
    /// so a change applies to new jobs only. Snoozes and lost leases do not count.
    pub max_attempts: u32,
    /// How many jobs one drainer runs at once, from `DRAIN_CONCURRENCY`. Defaults to 5; 1
    /// to 50.
    pub concurrency: usize,
    /// How many jobs all drainers together run at once, from `QUEUE_ACTIVE_LIMIT`. Defaults
    /// to 25. 0 means no limit and makes a claim one command cheaper.
    pub active_limit: Option<u64>,
    /// How many jobs of one group run at once (for scans, a group is a channel), from
    /// `QUEUE_GROUP_LIMIT`. Defaults to 1. 0 means no limit. All drainers of a queue must
    /// have the same value.
    pub group_limit: Option<u32>,
    /// How many jobs may begin in a minute, over all drainers, from
    /// `QUEUE_RATE_PER_MINUTE`. Defaults to 0, no limit. No minute has more, whatever the
    /// concurrency. To ensure that, a tenth may begin at once, and the others follow at
    /// even intervals. A snoozed job that continues counts again.
    pub rate: Option<Rate>,
    /// How many jobs may be unfinished before new ones are refused, from `QUEUE_BACKLOG`.
    /// Defaults to 0, no limit. A limit costs one more command for each call that stores
    /// jobs. The hosted service allows 100 MB in one record, which is about 100,000 jobs of
    /// 1 KB.
    pub backlog: Option<u64>,
    /// Whether the events `job:created`, `job:processing`, `job:completed` and `job:failed`
    /// are published, from `QUEUE_EVENTS` (`on` or `off`). Defaults to `off`. Each event is
    /// a billed command.
    pub events: bool,
    /// How far this clock may differ from the service's before jobs are neither stored nor
    /// claimed. It matters because the clock of whoever writes a lease or a time sets it.
    /// In milliseconds, from `QUEUE_CLOCK_SKEW_MS`. Defaults to a quarter of the lease,
    /// which is also the maximum: if two clocks are wrong by that much in opposite
    /// directions, their drainers still agree on who owns a lease that is renewed after a
    /// third of its length. 0 disables the check.
    pub clock_skew: Option<Duration>,
    /// How many other drainers a drainer may wake if it cannot finish the waiting jobs in
    /// its time, from `DRAIN_HELPERS`. Defaults to 4; 0 to 50.
    pub helpers: u32,
    /// How long a drainer without work waits for a job that is due soon (a retry, or a scan
    /// that waits for Discord) before it leaves the job to the next scheduled drainer. In
    /// milliseconds, from `DRAIN_LINGER_MS`. Defaults to 20000. 0 means to leave immediately.
    pub linger: Duration,
    /// How long a drainer collects finished jobs before it reports them, so that one
    /// command reports several. Higher values cost fewer commands but delay completion
    /// events. In milliseconds, from `DRAIN_COALESCE_MS`. Defaults to 25; at most 1000.
    pub coalesce: Duration,
    /// The longest time of a drain if the invocation's own deadline cannot be trusted
    /// (`cargo lambda watch` sends one in 1970). In milliseconds, from `DRAIN_BUDGET_MS`.
    /// Defaults to 55000.
    pub budget: Duration,
    /// The head start of one priority level over the next. In milliseconds, from
    /// `QUEUE_AGING_MS`. Defaults to 900000 (15 minutes), so a job of priority 10 waits at
    /// most 9 times that behind jobs of priority 1. With 0, priority is strict: a job waits
    /// as long as there are jobs of a better priority.
    pub aging: Duration,
    /// How long completed jobs are kept: 24 hours. [`QueueConfig::completed_count`] also
    /// applies.
    pub completed_age: Duration,
    /// How many completed jobs are kept. The oldest are removed first.
    pub completed_count: u64,
    /// How long failed and cancelled jobs are kept: 7 days.
    pub failed_age: Duration,
}

impl QueueConfig {
    /// The settings of the queue for looking into clips. Its jobs ask file servers and not
    /// Discord, so the limits of scans do not hold for them: two run at once beside the
    /// scans of a drainer, no helper is woken for them, and none is refused.
    pub fn for_clips(self) -> QueueConfig {
        QueueConfig {
            concurrency: 2,
            helpers: 0,
            rate: None,
            backlog: None,
            ..self
        }
    }
}

/// A rate at which jobs may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The time between two jobs at an even rate.
    pub interval: Duration,
    /// How many jobs may begin at once after a pause; at least 1.
    pub burst: u32,
}

impl Rate {
    /// Returns the rate at which no minute has more than `n` jobs that begin. A minute can
    /// have those that begin at once after a pause, and the others at even intervals.
    pub fn per_minute(n: u32) -> Rate {
        let burst = 1 + n.saturating_sub(1) / 10;
        let evenly = u64::from(n - burst + 1).max(1);
        Rate {
            // Rounded up, because a rate that is a little too fast adds up.
            interval: Duration::from_nanos(60_000_000_000_u64.div_ceil(evenly)),
            burst,
        }
    }
}

/// The largest clock difference at which a lease is safe.
fn largest_skew(lease: Duration) -> Duration {
    lease / 4
}

fn clock_skew(env: &Environment<'_>, lease: Duration) -> Result<Option<Duration>, ConfigError> {
    let largest = largest_skew(lease);
    let largest_ms = u64::try_from(largest.as_millis()).unwrap_or(u64::MAX);
    let skew = limit(env, "QUEUE_CLOCK_SKEW_MS", largest_ms)?.map(Duration::from_millis);
    if skew.is_some_and(|skew| skew > largest) {
        return Err(ConfigError::Refused {
            name: "QUEUE_CLOCK_SKEW_MS",
            reason: format!(
                "expected at most {largest_ms} (a quarter of QUEUE_LEASE_MS, which is {}): with \
                 clocks further apart a drainer takes jobs that another still runs",
                lease.as_millis()
            ),
        });
    }
    Ok(skew)
}

impl Default for QueueConfig {
    fn default() -> QueueConfig {
        QueueConfig {
            lease: Duration::from_secs(60),
            max_attempts: 3,
            concurrency: 5,
            active_limit: Some(25),
            group_limit: Some(1),
            rate: None,
            backlog: None,
            events: false,
            clock_skew: Some(largest_skew(Duration::from_secs(60))),
            helpers: 4,
            linger: Duration::from_secs(20),
            coalesce: Duration::from_millis(25),
            budget: Duration::from_secs(55),
            aging: Duration::from_secs(900),
            completed_age: Duration::from_secs(24 * 3600),
            completed_count: 1000,
            failed_age: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

impl QueueConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A variable is wrong.
    pub fn read(env: &Environment<'_>) -> Result<QueueConfig, ConfigError> {
        let default = QueueConfig::default();
        let concurrency = env.number("DRAIN_CONCURRENCY", 5, 1..=50, "a whole number")?;
        let max_attempts = env.number(
            "QUEUE_MAX_ATTEMPTS",
            default.max_attempts.into(),
            1..=100,
            "a whole number",
        )?;
        let per_minute = limit(env, "QUEUE_RATE_PER_MINUTE", 0)?;
        let lease = ms(env, "QUEUE_LEASE_MS", default.lease, 15_000..=900_000)?;
        Ok(QueueConfig {
            lease,
            max_attempts: max_attempts as u32,
            concurrency: concurrency as usize,
            active_limit: limit(env, "QUEUE_ACTIVE_LIMIT", 25)?,
            group_limit: limit(env, "QUEUE_GROUP_LIMIT", 1)?.map(|limit| limit as u32),
            rate: per_minute.map(|per_minute| Rate::per_minute(per_minute as u32)),
            backlog: limit(env, "QUEUE_BACKLOG", 0)?,
            events: switch(env, "QUEUE_EVENTS")?,
            clock_skew: clock_skew(env, lease)?,
            helpers: env.number("DRAIN_HELPERS", 4, 0..=50, "a whole number")? as u32,
            linger: ms(env, "DRAIN_LINGER_MS", default.linger, 0..=600_000)?,
            coalesce: ms(env, "DRAIN_COALESCE_MS", default.coalesce, 0..=1000)?,
            budget: ms(env, "DRAIN_BUDGET_MS", default.budget, 1000..=900_000)?,
            aging: ms(env, "QUEUE_AGING_MS", default.aging, 0..=1_000_000_000_000)?,
            ..default
        })
    }
}

fn ms(
    env: &Environment<'_>,
    name: &'static str,
    default: Duration,
    range: RangeInclusive<u64>,
) -> Result<Duration, ConfigError> {
    let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
    env.number(name, default, range, "milliseconds")
        .map(Duration::from_millis)
}

/// Reads a number for which 0 means no limit.
fn limit(
    env: &Environment<'_>,
    name: &'static str,
    default: u64,
) -> Result<Option<u64>, ConfigError> {
    let what = "a whole number (0 for no limit)";
    let number = env.number(name, default, 0..=1_000_000, what)?;
    Ok(Some(number).filter(|number| *number > 0))
}

fn switch(env: &Environment<'_>, name: &'static str) -> Result<bool, ConfigError> {
    match env.text(name).as_deref() {
        None | Some("off") => Ok(false),
        Some("on") => Ok(true),
        Some(_) => Err(ConfigError::Invalid {
            name,
            expected: "`on` or `off`",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<QueueConfig, String> {
        let lookup = |name: &str| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        QueueConfig::read(&Environment::from(lookup)).map_err(|error| error.to_string())
    }

    #[test]
    fn clocks_may_differ_by_a_quarter_of_the_lease() {
        fn skew(pairs: &[(&str, &str)]) -> Result<Option<Duration>, String> {
            read(pairs).map(|config| config.clock_skew)
        }
        let ms = |ms| Ok(Some(Duration::from_millis(ms)));
        assert_eq!(skew(&[]), ms(15_000));
        assert_eq!(skew(&[("QUEUE_LEASE_MS", "15000")]), ms(3750));
        assert_eq!(skew(&[("QUEUE_CLOCK_SKEW_MS", "15000")]), ms(15_000));
        assert_eq!(skew(&[("QUEUE_CLOCK_SKEW_MS", "0")]), Ok(None));
        for (lease, skew_ms) in [("60000", "22000"), ("60000", "15001"), ("15000", "6000")] {
            let both = [("QUEUE_LEASE_MS", lease), ("QUEUE_CLOCK_SKEW_MS", skew_ms)];
            let error = skew(&both).unwrap_err();
            assert!(
                error.starts_with("QUEUE_CLOCK_SKEW_MS: expected at most"),
                "{error}"
            );
            assert!(error.contains("a quarter of QUEUE_LEASE_MS"), "{error}");
        }
    }

    #[test]
    fn the_burst_of_a_rate_does_not_depend_on_the_concurrency() {
        for per_minute in [1, 2, 5, 10, 11, 60, 100, 1_000_000] {
            let text = per_minute.to_string();
            let with = |n| read(&[("QUEUE_RATE_PER_MINUTE", &text), ("DRAIN_CONCURRENCY", n)]);
            let (few, many) = (with("1").unwrap().rate, with("50").unwrap().rate);
            assert_eq!(few, many);
            let rate = few.unwrap();
            // As many as the burst, and those that become due within a minute.
            let minute = Duration::from_secs(60).as_nanos();
            let most = u128::from(rate.burst) + minute.div_ceil(rate.interval.as_nanos()) - 1;
            assert!(
                most <= u128::from(per_minute as u32),
                "{most} of {per_minute}"
            );
        }
    }

    #[test]
    fn a_job_has_at_least_one_attempt_and_at_most_a_hundred() {
        let most = |text| read(&[("QUEUE_MAX_ATTEMPTS", text)]).map(|config| config.max_attempts);
        assert_eq!(read(&[]).unwrap().max_attempts, 3);
        assert_eq!([most("1"), most("100")], [Ok(1), Ok(100)]);
        for wrong in ["0", "101", "-1", "many"] {
            assert!(most(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zero_means_what_each_setting_documents() {
        let zero = |name| read(&[(name, "0")]).unwrap();
        assert_eq!(zero("QUEUE_ACTIVE_LIMIT").active_limit, None);
        assert_eq!(zero("QUEUE_GROUP_LIMIT").group_limit, None);
        assert_eq!(zero("QUEUE_RATE_PER_MINUTE").rate, None);
        assert_eq!(zero("QUEUE_BACKLOG").backlog, None);
        assert_eq!(zero("DRAIN_HELPERS").helpers, 0);
        assert_eq!(zero("DRAIN_LINGER_MS").linger, Duration::ZERO);
        assert_eq!(zero("DRAIN_COALESCE_MS").coalesce, Duration::ZERO);
        assert_eq!(zero("QUEUE_AGING_MS").aging, Duration::ZERO);
        for name in ["QUEUE_LEASE_MS", "DRAIN_CONCURRENCY", "DRAIN_BUDGET_MS"] {
            assert!(read(&[(name, "0")]).is_err(), "{name}");
        }
    }
}
