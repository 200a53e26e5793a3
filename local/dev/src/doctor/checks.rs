//! The checks of `dev doctor`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use shared::cache::{Cache, Entry, GUILD};
use shared::config::QueueConfig;
use shared::lock::Locks;
use shared::queue::{
    ActiveJob, Consumer, EndedJob, JobHandler, JobId, JobState, NewJob, Outcome, Queue,
};
use shared::rate_limiter::{RateLimiter, Reason, Rule};
use shared::redis::Pipeline;
use shared::redis::commands::keys::pttl;
use shared::redis::commands::server::{dbsize, info};
use shared::redis::commands::streams::{Trim, xadd, xlen, xrange};
use shared::redis::commands::strings::{SetOptions, get, set};
use shared::redis::commands::{Keys as _, Server as _, Strings as _};

use super::subject::Subject;

/// Expiry of every stored test value, in case the cleanup fails.
const LIFE: Duration = Duration::from_secs(300);

/// With a larger clock skew, the queue would not store or claim jobs.
const SKEW_MS: i64 = 30_000;

pub async fn connectivity(subject: &Subject) -> anyhow::Result<String> {
    let pong = subject.redis.ping().await?;
    ensure!(pong == "PONG", "PING returned {pong:?} instead of PONG");
    let Some(skew) = subject.redis.clock_skew_ms() else {
        return Ok(
            "PONG; the service does not support TIME, so clock skew was not checked".to_owned(),
        );
    };
    ensure!(
        skew.abs() <= SKEW_MS,
        "the local clock is {} s ahead of the service's; the queue could not store or claim jobs",
        skew / 1000
    );
    Ok(format!("PONG; clock skew {} s", (skew.abs() + 500) / 1000))
}

pub async fn set_and_get(subject: &Subject) -> anyhow::Result<String> {
    let key = format!("{}value", subject.prefix);
    // Contains characters that a service without binary-safe replies would corrupt.
    let value = "Trawl \u{1f3a3} \"quoted\"\r\n\0end";
    let mut pipeline = Pipeline::new();
    let stored = pipeline.add(set(&key, value, SetOptions::new().expires_in(LIFE)));
    let read = pipeline.add(get(&key));
    let left = pipeline.add(pttl(&key));
    let mut replies = pipeline.send(&*subject.redis).await?;
    replies.take(stored)?;
    let read = replies.take(read)?;
    ensure!(
        read.as_deref() == Some(value),
        "GET returned a different value"
    );
    ensure!(replies.take(left)? > 0, "the key has no expiry");
    ensure!(
        subject.redis.del(&[&key]).await? == 1,
        "the key could not be deleted"
    );
    ensure!(
        subject.redis.get(&key).await?.is_none(),
        "the key still exists after DEL"
    );
    Ok("a binary value was written with an expiry, read back unchanged and deleted".to_owned())
}

pub async fn cache(subject: &Subject) -> anyhow::Result<String> {
    let cache = Cache::new(
        subject.redis.clone(),
        &subject.prefix,
        subject.clock.clone(),
    );
    let entry: Entry<String> = Entry::new(&GUILD, "doctor");
    let load = || async { Ok::<_, anyhow::Error>(Some("loaded".to_owned())) };
    let first = cache.get_or_load(&entry, load).await?;
    let again = cache
        .get_or_load(&entry, || async {
            bail!("a cached value was loaded a second time")
        })
        .await?;
    ensure!(
        first.as_deref() == Some("loaded") && again == first,
        "the cache returned a different value"
    );
    let counts = cache.counts();
    ensure!(
        counts.failures == 0,
        "{} Redis calls failed",
        counts.failures
    );
    cache.invalidate(&entry).await?;
    let look = cache.get(&entry).await;
    ensure!(
        !matches!(look, Ok(Some(_))),
        "the value is still cached after it was invalidated"
    );
    Ok(format!(
        "{} miss, {} hit, invalidated",
        counts.misses, counts.hits
    ))
}

pub async fn limiter(subject: &Subject) -> anyhow::Result<String> {
    let limiter = RateLimiter::new(&subject.prefix, subject.clock.clone());
    let rule = Rule::new("doctor", 2, Duration::from_secs(60)).or_refuse();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let check = limiter.call(&rule, "doctor", 1);
        let verdict = limiter.check(&subject.redis, &check).await;
        ensure!(
            verdict.reason != Reason::Unavailable,
            "the limiter got no answer from Redis"
        );
        seen.push(verdict.admitted);
    }
    ensure!(
        seen == [true, true, false],
        "expected two of three calls to be admitted: {seen:?}"
    );
    Ok("limit of two: two calls admitted, the third refused".to_owned())
}

pub async fn lock(subject: &Subject) -> anyhow::Result<String> {
    let locks = Locks::new(
        subject.redis.clone(),
        &subject.prefix,
        subject.clock.clone(),
    );
    let mut held = locks
        .try_acquire("doctor", LIFE)
        .await?
        .context("a new lock could not be acquired")?;
    let other = locks.try_acquire("doctor", LIFE).await?;
    ensure!(other.is_none(), "two callers hold the lock at once");
    ensure!(held.extend(LIFE).await?, "the lock cannot be extended");
    let fence = held.fence();
    ensure!(held.release().await?, "the lock cannot be released");
    let next = locks
        .try_acquire("doctor", LIFE)
        .await?
        .context("the lock could not be acquired after its release")?;
    ensure!(
        next.fence() > fence,
        "the fence did not rise with the next holder"
    );
    next.release().await?;
    Ok("exclusive, extended, released; the fence rises with each holder".to_owned())
}

/// A handler whose jobs always succeed.
struct Healthy;

impl JobHandler for Healthy {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        async move { Outcome::Done(json!({ "attempt": job.number })) }.boxed()
    }

    fn ended(&self, _: EndedJob) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}

pub async fn queue(subject: &Subject) -> anyhow::Result<String> {
    let config = QueueConfig {
        linger: Duration::ZERO,
        coalesce: Duration::ZERO,
        ..QueueConfig::default()
    };
    let (redis, clock) = (subject.redis.clone(), subject.clock.clone());
    let queue = Queue::new(redis, &subject.prefix, "doctor", clock, config);
    let job = NewJob::new(JobId::new(&subject.clock), "doctor", &json!({}))?;
    let id = job.id.clone();
    queue.enqueue(job.clone()).await?;
    ensure!(
        queue.enqueue(job).await?.id() == &id,
        "a job enqueued twice was stored twice"
    );
    let consumer = Consumer::new(queue.clone(), Arc::new(Healthy));
    let report = consumer
        .drain(&subject.clock.deadline(Duration::from_secs(20)))
        .await?;
    ensure!(
        report.completed == 1,
        "the job did not complete: {report:?}"
    );
    let done = queue
        .job(&id)
        .await?
        .context("the completed job was not kept")?;
    ensure!(
        done.state == JobState::Completed,
        "the job ended as {:?}",
        done.state
    );
    queue.purge(&id).await?;
    Ok("a job enqueued twice ran once and was purged".to_owned())
}

pub async fn stream(subject: &Subject) -> anyhow::Result<String> {
    let key = format!("{}stream", subject.prefix);
    let mut pipeline = Pipeline::new();
    let added = pipeline.add(xadd(&key, "1-1", Trim::No, &[("n", "1")]));
    let more = pipeline.add(xadd(&key, "1-2", Trim::No, &[("n", "2")]));
    let length = pipeline.add(xlen(&key));
    let after = pipeline.add(xrange(&key, "(1-1", "+", 10));
    let mut replies = pipeline.send(&*subject.redis).await?;
    replies.take(added)?;
    replies.take(more)?;
    ensure!(
        replies.take(length)? == 2,
        "XLEN does not count both entries"
    );
    let after = replies.take(after)?;
    ensure!(
        after.len() == 1 && after[0].id == "1-2",
        "reading from the first entry did not return the second"
    );
    Ok("two entries added; the second read from the position of the first".to_owned())
}

pub async fn monitoring(subject: &Subject) -> anyhow::Result<String> {
    let mut pipeline = Pipeline::new();
    let report = pipeline.add(info(""));
    let keys = pipeline.add(dbsize());
    let mut replies = pipeline.send(&*subject.redis).await?;
    let report = replies.take(report)?;
    let keys = replies.take(keys)?;
    let value = |name: &str| {
        let mut lines = report
            .lines()
            .filter_map(|line| line.trim().split_once(':'));
        lines.find(|(n, _)| *n == name).map(|(_, value)| value)
    };
    if let Some(policy) = value("maxmemory_policy") {
        let is_safe = policy == "noeviction" || value("maxmemory") == Some("0");
        ensure!(
            is_safe,
            "eviction is on ({policy}), so a full database would drop jobs; turn eviction off"
        );
    }
    let version = value("redis_version").unwrap_or("(version not reported)");
    Ok(format!("{keys} keys, Redis {version}"))
}
