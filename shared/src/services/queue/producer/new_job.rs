//! A job as it is given to the queue.

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;

use crate::json::to_json;
use crate::queue::blobs::{LARGEST_ARGS, LARGEST_INLINE};
use crate::queue::layout::SPEC_VERSION;
use crate::queue::spec::{Spec, Successor};
use crate::queue::{Backoff, Error, JobId};
use crate::trace::Trace;

/// How far ahead a job may be scheduled: a year.
const FURTHEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The longest timeout. No invocation runs this long.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// The largest number of jobs in a chain, not counting the first.
const LONGEST_CHAIN: usize = 20;

/// A job to be stored.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The job's id. A job that is sent again with the same id is stored once.
    pub id: JobId,
    /// The kind, which selects the handler.
    pub kind: String,
    /// The handler's arguments, as JSON. At most 1 MB.
    pub args: String,
    /// The priority, from 1 (first) to 10. Defaults to 5.
    pub priority: u8,
    /// The earliest time at which the job may run, in unix milliseconds. Defaults to now;
    /// at most a year ahead.
    pub run_at_ms: Option<i64>,
    /// The number of attempts after which the job fails for good, 1 to 100. Defaults to the
    /// setting [`QueueConfig::max_attempts`](crate::config::QueueConfig).
    pub max_attempts: Option<u32>,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// Whether the waits are randomized. Defaults to true.
    pub jitter: bool,
    /// The unique key. While an unfinished job has this key, another job with it is a
    /// duplicate, and `on_unique` decides what happens to the two. The key is free once the
    /// job has ended. 1 to 512 bytes, no control characters.
    pub unique: Option<String>,
    /// What happens when this job is a duplicate. Defaults to [`OnUnique::Hasten`].
    pub on_unique: OnUnique,
    /// The group. At most [`QueueConfig::group_limit`](crate::config::QueueConfig) jobs of
    /// one group run at once; the others wait without delaying the rest of the queue. At
    /// most 128 bytes, no control characters.
    pub group: Option<String>,
    /// The longest time of an attempt. An attempt that takes longer is stopped and counts
    /// as failed. Defaults to the invocation's limit only.
    pub timeout: Option<Duration>,
    /// The job fails if it has not begun by this time, in unix milliseconds.
    pub expires_ms: Option<i64>,
    /// The rest of the chain. Each of these jobs is stored when the one before it has
    /// completed. If one fails or is cancelled, the later ones are never stored.
    pub then: Vec<NewJob>,
    /// The trace that the job belongs to, in the W3C format. Any other value is ignored.
    pub traceparent: Option<String>,
}

/// The values for what a job does not set itself.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    /// The time at which the job is stored and, by default, may run.
    pub now_ms: i64,
    pub max_attempts: u32,
}

/// What happens to a job whose unique key belongs to an unfinished job. The caller gets
/// [`Enqueued::Duplicate`](crate::queue::Enqueued) with the id of the unfinished job,
/// unless the variant says otherwise.
///
/// The table at `decide` in `scripts/enqueue.lua` lists every case, including those that do
/// not concern unique keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnique {
    /// The first job stays and keeps its arguments. If it was never claimed, it takes the
    /// earlier time and the better priority of the two.
    #[default]
    Hasten,
    /// The first job stays as it is.
    Keep,
    /// The first job is cancelled and the new one is stored; the answer is `New`. If the
    /// first is running, it stays, and the new one is a duplicate.
    Replace,
    /// The first job takes the new one's arguments and time, so a series of requests
    /// becomes one run after the last of them; the answer is `Debounced`. If the first has
    /// begun, it stays as it is, and the new one is a duplicate.
    Debounce,
}

impl OnUnique {
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            OnUnique::Keep => None,
            OnUnique::Hasten => Some("hasten"),
            OnUnique::Replace => Some("replace"),
            OnUnique::Debounce => Some("debounce"),
        }
    }
}

impl NewJob {
    /// Creates a job with the default options.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `args` cannot be written as JSON.
    pub fn new(id: JobId, kind: &str, args: &impl Serialize) -> Result<NewJob, Error> {
        let args = serde_json::to_string(args).map_err(|e| Error::Invalid(e.to_string()))?;
        Ok(NewJob {
            id,
            kind: kind.to_owned(),
            args,
            priority: 5,
            run_at_ms: None,
            max_attempts: None,
            backoff: Backoff::default(),
            jitter: true,
            unique: None,
            on_unique: OnUnique::default(),
            group: None,
            timeout: None,
            expires_ms: None,
            then: Vec::new(),
            traceparent: None,
        })
    }

    pub(super) fn check(&self, now_ms: i64) -> Result<(), Error> {
        let invalid = |text: &str| Err(Error::Invalid(text.to_owned()));
        let furthest = now_ms.saturating_add(FURTHEST.as_millis() as i64);
        let is_key = |key: &String, most: usize| {
            !key.is_empty() && key.len() <= most && !key.chars().any(char::is_control)
        };
        if self.kind.is_empty() || self.kind.len() > 128 {
            return invalid("type: expected 1 to 128 bytes");
        }
        if !(1..=10).contains(&self.priority) {
            return invalid("priority: expected a whole number from 1 to 10");
        }
        if self
            .max_attempts
            .is_some_and(|most| !(1..=100).contains(&most))
        {
            return invalid("maxAttempts: expected a whole number from 1 to 100");
        }
        if self.run_at_ms.is_some_and(|at| at > furthest || at < 0) {
            return invalid("runAt: expected unix milliseconds, at most a year ahead");
        }
        if self.args.len() > LARGEST_ARGS {
            return Err(Error::TooLarge(
                "data: expected at most 1 MB of JSON".to_owned(),
            ));
        }
        if self.unique.as_ref().is_some_and(|key| !is_key(key, 512)) {
            return invalid("unique: expected 1 to 512 bytes without control characters");
        }
        if self.group.as_ref().is_some_and(|key| !is_key(key, 128)) {
            return invalid("group: expected 1 to 128 bytes without control characters");
        }
        // Scripts write numbers of up to 14 digits without changing them.
        if self
            .timeout
            .is_some_and(|timeout| timeout < Duration::from_millis(1) || timeout > LONGEST_TIMEOUT)
        {
            return invalid("timeout: expected 1 millisecond to 1 day");
        }
        let latest = furthest.saturating_add(FURTHEST.as_millis() as i64);
        let in_time = |at: i64| at > self.run_at(now_ms) && at <= latest;
        if self.expires_ms.is_some_and(|at| !in_time(at)) {
            return invalid("expires: expected a time after the job may run, within two years");
        }
        if self.on_unique == OnUnique::Debounce && self.args.len() > LARGEST_INLINE {
            return invalid("data: expected at most 4096 bytes for a debounced job");
        }
        if !self.backoff.is_valid() {
            return invalid("backoff: expected 1 to 100 waits of at most a day");
        }
        if self.then.len() > LONGEST_CHAIN {
            return invalid("then: expected at most 20 jobs");
        }
        let ids: HashSet<&JobId> = self.then.iter().chain([self]).map(|job| &job.id).collect();
        if ids.len() <= self.then.len() {
            return invalid("then: expected a different id for each job");
        }
        self.then
            .iter()
            .try_for_each(|next| next.check_successor(now_ms))
    }

    /// Checks a job that is stored inside another job's record until that one has
    /// completed.
    pub(super) fn check_successor(&self, now_ms: i64) -> Result<(), Error> {
        let invalid = |text: &str| Err(Error::Invalid(text.to_owned()));
        if self.args.len() > LARGEST_INLINE {
            return invalid("then: expected at most 4096 bytes of data");
        }
        if self.run_at_ms.is_some() || self.expires_ms.is_some() || self.unique.is_some() {
            return invalid("then: expected jobs without a time and without a unique key");
        }
        if !self.then.is_empty() {
            return invalid("then: expected a flat list of jobs");
        }
        self.check(now_ms)
    }

    /// The part of the job that is stored as JSON.
    pub(super) fn spec(&self, defaults: Defaults) -> Spec {
        let is_new = self.group.is_some()
            || self.expires_ms.is_some()
            || !self.then.is_empty()
            || self.args.len() > LARGEST_INLINE;
        Spec {
            v: if is_new { SPEC_VERSION } else { 1 },
            kind: self.kind.clone(),
            priority: self.priority,
            max_attempts: self.max_attempts.unwrap_or(defaults.max_attempts),
            enqueued: defaults.now_ms,
            run_at: self.run_at(defaults.now_ms),
            backoff: self.backoff.clone(),
            no_jitter: !self.jitter,
            unique: self.unique.clone(),
            group: self.group.clone(),
            timeout: self
                .timeout
                .map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
            expires: self.expires_ms,
            blob: Some(self.args.len()).filter(|size| *size > LARGEST_INLINE),
            then: self
                .then
                .iter()
                .map(|next| next.successor(defaults))
                .collect(),
            after: None,
            batch: None,
            batch_end: None,
            traceparent: self.traceparent(),
        }
    }

    fn traceparent(&self) -> Option<String> {
        let trace = self.traceparent.as_deref().and_then(Trace::parse);
        trace.map(String::from)
    }

    pub(super) fn successor(&self, defaults: Defaults) -> Successor {
        let mut spec = self.spec(defaults);
        // The script may add the rest of a chain, which version 1 does not know.
        spec.v = SPEC_VERSION;
        Successor {
            id: self.id.to_string(),
            spec,
            args: self.args.clone(),
        }
    }

    /// The spec as it is stored: a line of JSON, then the arguments, unless they have a key
    /// of their own.
    pub(super) fn stored(&self, spec: &Spec) -> String {
        // The arguments are not a field of the JSON. So the scripts need not parse them,
        // and they come back byte for byte, whatever the precision of their numbers.
        let line = to_json(spec);
        let args = if spec.blob.is_some() {
            "null"
        } else {
            &self.args
        };
        format!("{line}\n{args}")
    }

    /// When the job may run. A time in the past means now.
    pub(super) fn run_at(&self, now_ms: i64) -> i64 {
        self.run_at_ms.unwrap_or(now_ms).max(now_ms)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Clock;

    fn at(now_ms: i64) -> Defaults {
        Defaults {
            now_ms,
            max_attempts: 3,
        }
    }

    #[test]
    fn arguments_are_kept_to_the_byte() {
        let clock = Clock::manual(1);
        let mut job = NewJob::new(JobId::new(&clock), "scan", &serde_json::json!({})).unwrap();
        job.args = "{\"a\":[],\"n\":9007199254740993,\"s\":\"\\n|é\"}".into();
        let text = job.stored(&job.spec(at(5)));
        let (spec, args) = Spec::parse("x", &text).unwrap();
        assert_eq!(args, job.args);
        assert_eq!((spec.enqueued, spec.run_at, spec.priority), (5, 5, 5));
        assert_eq!(spec.v, 1);
    }

    #[test]
    fn an_invalid_job_is_refused_with_the_reason() {
        let clock = Clock::manual(1000);
        let job = NewJob::new(JobId::new(&clock), "scan", &()).unwrap();
        let refused = |word: &str, change: &dyn Fn(&mut NewJob)| {
            let mut job = job.clone();
            change(&mut job);
            let error = job.check(1000).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{word}:")), "{word}: {error}");
        };
        assert!(job.check(1000).is_ok());
        refused("type", &|job| job.kind = String::new());
        refused("priority", &|job| job.priority = 11);
        refused("maxAttempts", &|job| job.max_attempts = Some(0));
        refused("maxAttempts", &|job| job.max_attempts = Some(101));
        refused("runAt", &|job| job.run_at_ms = Some(i64::MAX));
        refused("data", &|job| job.args = "x".repeat(LARGEST_ARGS + 1));
        refused("unique", &|job| job.unique = Some("x".repeat(513)));
        refused("group", &|job| job.group = Some("a\0b".to_owned()));
        refused("timeout", &|job| job.timeout = Some(Duration::ZERO));
        refused("expires", &|job| job.expires_ms = Some(1000));
        refused("backoff", &|job| {
            job.backoff = Backoff::Custom { waits_ms: vec![] }
        });
        refused("then", &|job| {
            job.then = vec![NewJob {
                run_at_ms: Some(5),
                ..job.clone()
            }];
        });
        refused("data", &|job| {
            job.on_unique = OnUnique::Debounce;
            job.args = "x".repeat(LARGEST_INLINE + 1);
        });
    }

    proptest! {
        #[test]
        fn a_stored_job_reads_back_whatever_text_it_holds(
            kind in "\\PC{1,40}", key in any::<String>(), args in any::<String>(), at in 0..4_000_000_000_000_i64,
        ) {
            let mut job = NewJob::new(JobId::derived(at, "x"), &kind, &args).unwrap();
            job.unique = Some(key.clone());
            let text = job.stored(&job.spec(self::at(at)));
            let (spec, stored) = Spec::parse("x", &text).unwrap();
            prop_assert_eq!(stored, &job.args);
            prop_assert_eq!((spec.kind, spec.unique, spec.enqueued), (kind, Some(key), at));
        }
    }
}
