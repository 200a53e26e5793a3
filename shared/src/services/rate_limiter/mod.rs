//! Limits how often a caller may do something.
//!
//! | algorithm | admits at most | state | billed: admitted, refused |
//! |---|---|---|---|
//! | [`FixedWindow`](Algorithm::FixedWindow) | `limit` in each window of the clock, so twice that across a boundary | a count | 2, 2 |
//! | [`SlidingWindow`](Algorithm::SlidingWindow) | `limit` in any period as long as the window; room becomes available up to a thirtieth of it late | 30 counts | 3, 2 |
//! | [`SlidingLog`](Algorithm::SlidingLog) | the same, to the millisecond | every call: for limits up to about 1,000 | 3, 2 |
//! | [`TokenBucket`](Algorithm::TokenBucket) | `burst` at once, and in the long run `limit` in each window | a time | 3, 2 |
//!
//! A refused call consumes nothing, except with the fixed window, which counts before it
//! checks. After a refusal, this process refuses the caller without asking Redis until the
//! call may be admitted, but for at most ten seconds, because a limit may be raised or a
//! call refunded in the meantime.
//!
//! **Time comes from the caller's clock.** The server's time would cost one more command
//! for each check (`TIME` in a script is billed), and the clocks of Lambda's hosts are
//! within milliseconds of each other. If two clocks differ a little, the window becomes
//! shorter by the difference, and nothing else happens. A wrong clock affects at most one
//! window: a limiter's time does not go back, and a time more than a window ahead is
//! ignored. A caller that finds a state that should have ended is itself ahead, because the
//! server's clock expires the state. It then uses the state's time.
//!
//! **Lost replies.** A check with one of the last three algorithms carries an id. If it is
//! sent again, it is found among the last 32 ids (in the log: among all), and counts once.
//! The fixed window cannot recognize a repeated check, so the client never sends it twice,
//! and a check whose reply was lost has counted. A mistake in either direction admits less,
//! never more.
//!
//! **Refunds.** A refund takes back a counted call, once; a [`Check`] knows whether it was
//! counted. A call that was refused, or that Redis did not answer, has nothing to refund.
//!
//! This module does not decide who the caller is or how a refusal looks.
//! [`http`](crate::http) does.

mod block;
mod check;
mod keys;
mod rule;
mod scripts;
mod seen;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use block::Blocked;
pub use check::Check;
pub use keys::Keys;
pub use rule::{Algorithm, OnFailure, Rule};
pub use scripts::ALL;
use scripts::{Call, Parameters, Scripts, Stored};
use seen::{Quota, Seen};
pub use verdict::{Reason, Verdict};

use crate::clock::Clock;
use crate::redis::commands::keys::{Keys as _, expire};
use crate::redis::commands::strings::{SetOptions, Strings as _, get, incrby};
use crate::redis::{Error, Pipeline, Prefix, Redis, Replies, Slot};

/// Asks Redis whether a call is admitted. Cheap to clone. Clones share the refused callers,
/// and what each caller was last seen to have left.
#[derive(Clone)]
pub struct RateLimiter {
    keys: Keys,
    clock: Clock,
    blocked: Arc<Blocked>,
    seen: Arc<Seen>,
}

/// The place of a check in a pipeline's replies.
pub struct CheckSlot(Asked);

enum Asked {
    Count(Slot<i64>),
    Script(Slot<Stored>),
}

impl RateLimiter {
    /// Creates a limiter under this key prefix that uses the time of `clock`.
    pub fn new(prefix: &str, clock: Clock) -> RateLimiter {
        RateLimiter {
            keys: Keys(Prefix::new(prefix)),
            clock,
            blocked: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// A call of `caller` under `rule`, made now.
    pub fn call(&self, rule: &Rule, caller: &str, weight: u32) -> Check {
        Check {
            rule: rule.clone(),
            caller: caller.to_owned(),
            weight,
            id: std::iter::repeat_with(fastrand::alphanumeric)
                .take(10)
                .collect(),
            at_ms: self.clock.now_ms(),
            is_counted: Arc::default(),
        }
    }

    /// The refusal of a caller that this process has seen refused and that cannot be
    /// admitted yet. Redis need not be asked.
    pub fn blocked(&self, check: &Check) -> Option<Verdict> {
        let until_ms =
            self.blocked
                .until(&self.keys.state(check), check.weight, self.clock.now_ms())?;
        Some(Verdict {
            reason: Reason::Blocked,
            ..Verdict::refused(&check.rule, until_ms)
        })
    }

    /// What a caller had left when this process last asked. Does not ask Redis. A caller
    /// that this process has never seen counts as having used nothing.
    pub fn last_seen(&self, rule: &Rule, caller: &str) -> Verdict {
        let look = self.call(rule, caller, 0);
        let seen = self.seen.get(&self.keys.state(&look), look.at_ms);
        let quota = seen.unwrap_or(Quota {
            at_ms: look.at_ms,
            limit: rule.limit,
            remaining: rule.limit,
            reset_at_ms: look.at_ms,
        });
        Verdict {
            admitted: true,
            reason: Reason::Seen,
            limit: quota.limit,
            remaining: quota.remaining,
            reset_at_ms: quota.reset_at_ms,
        }
    }

    /// Adds a check to a pipeline. [`RateLimiter::read_check`] reads its result. The other
    /// commands of the pipeline run whatever the result is.
    pub fn add_check(&self, pipeline: &mut Pipeline, check: &Check) -> CheckSlot {
        if check.rule.algorithm == Algorithm::FixedWindow {
            let key = self.keys.window(check);
            let slot = pipeline.add(incrby(&key, check.weight.into()));
            pipeline.add(expire(&key, check.rule.window));
            return CheckSlot(Asked::Count(slot));
        }
        let slot = self
            .scripts(check)
            .add_check(pipeline, check.rule.algorithm, &call(check));
        CheckSlot(Asked::Script(slot))
    }

    /// Reads the result of a check. If Redis did not answer, the rule decides, and the
    /// verdict and the log say so.
    pub fn read_check(&self, replies: &mut Replies, check: &Check, slot: CheckSlot) -> Verdict {
        let outcome = match slot.0 {
            Asked::Count(slot) => replies.take(slot).map(|count| counted(check, count)),
            Asked::Script(slot) => replies.take(slot).map(|stored| {
                let (word, limit, remaining, reset_at_ms) = stored;
                Verdict::read(&word, limit, remaining, reset_at_ms)
            }),
        };
        self.judge(check, outcome)
    }

    /// The rule's decision if Redis did not answer.
    pub fn unanswered(&self, check: &Check, error: &Error) -> Verdict {
        let verdict = Verdict::unavailable(&check.rule);
        let error = crate::telemetry::chain(error);
        let (action, admitted) = (check.rule.action, verdict.admitted);
        tracing::warn!(
            action,
            admitted,
            error,
            "the rate limit could not be checked"
        );
        verdict
    }

    /// Checks a call in a request of its own, unless the caller is blocked here.
    pub async fn check(&self, redis: &Redis, check: &Check) -> Verdict {
        if let Some(refused) = self.blocked(check) {
            return refused;
        }
        let mut pipeline = Pipeline::new();
        let slot = self.add_check(&mut pipeline, check);
        match pipeline.send(&**redis).await {
            Ok(mut replies) => self.read_check(&mut replies, check, slot),
            Err(error) => self.unanswered(check, &error),
        }
    }

    /// Returns what a caller has left, without counting a call. 2 billed; 1 for the fixed
    /// window.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn peek(&self, redis: &Redis, rule: &Rule, caller: &str) -> Result<Verdict, Error> {
        let look = self.call(rule, caller, 0);
        if rule.algorithm == Algorithm::FixedWindow {
            let count = get(&self.keys.window(&look)).send(&**redis).await?;
            let count = count.and_then(|count| count.parse().ok()).unwrap_or(0);
            return Ok(counted(&look, count));
        }
        let mut pipeline = Pipeline::new();
        let slot = self
            .scripts(&look)
            .add_check(&mut pipeline, rule.algorithm, &call(&look));
        let (word, limit, remaining, reset_at_ms) = pipeline.send(&**redis).await?.take(slot)?;
        Ok(Verdict::read(&word, limit, remaining, reset_at_ms))
    }

    /// Refunds a counted call, for example because it failed through no fault of the
    /// caller. Returns false if the call was refunded before, no longer counts, or is not
    /// known to have been counted. A token bucket gets its tokens back at any time. 3
    /// billed; 1 for the fixed window.
    ///
    /// # Errors
    /// Redis could not be reached. Unless the refund certainly had no effect, it is then
    /// unknown whether the call was refunded, and a further refund does nothing.
    pub async fn refund(&self, redis: &Redis, check: &Check) -> Result<bool, Error> {
        if !check.is_counted.swap(false, Ordering::SeqCst) {
            return Ok(false);
        }
        let outcome = self.take_back(redis, check).await;
        if outcome
            .as_ref()
            .is_err_and(|error| !error.is_outcome_unknown())
        {
            check.is_counted.store(true, Ordering::SeqCst);
        }
        outcome
    }

    async fn take_back(&self, redis: &Redis, check: &Check) -> Result<bool, Error> {
        let key = self.keys.state(check);
        self.blocked.forget(&key);
        if check.rule.algorithm == Algorithm::FixedWindow {
            // In a window that is over nothing counts, and the decrement would leave a
            // count without an expiry.
            if self.clock.now_ms() >= window_end(check) {
                return Ok(false);
            }
            let key = self.keys.window(check);
            redis.incrby(&key, -i64::from(check.weight)).await?;
            return Ok(true);
        }
        let refund = Check {
            at_ms: self.clock.now_ms(),
            // The id differs from the call's. With the same id, the script would take the
            // refund for a repetition of the call.
            id: format!("-{}", check.id),
            ..check.clone()
        };
        self.scripts(check)
            .refund(redis, check, &call(&refund))
            .await
    }

    /// Forgets what a caller has used. 1 billed.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn reset(&self, redis: &Redis, rule: &Rule, caller: &str) -> Result<(), Error> {
        let check = self.call(rule, caller, 0);
        let key = self.keys.state(&check);
        self.blocked.forget(&key);
        self.seen.forget(&key);
        let window = self.keys.window(&check);
        redis.del(&[&key, &window]).await?;
        Ok(())
    }

    /// Replaces an action's limit for all callers, until `None` removes the replacement.
    /// Each check reads it at no further cost. The burst of a bucket changes in proportion,
    /// and the bucket stays as full as it is. The fixed window ignores it, because it reads
    /// nothing.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn set_limit(
        &self,
        redis: &Redis,
        action: &str,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        let key = self.keys.limit(action);
        self.blocked.forget_all();
        match limit {
            Some(limit) => {
                let limit = limit.to_string();
                redis.set(&key, &limit, SetOptions::new()).await?;
            }
            None => {
                redis.del(&[&key]).await?;
            }
        }
        Ok(())
    }

    /// Blocks a caller from everything for a time. `Duration::ZERO` ends the block. The
    /// fixed window ignores it.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn deny(&self, redis: &Redis, caller: &str, time: Duration) -> Result<(), Error> {
        let key = self.keys.deny(caller);
        self.blocked.forget_all();
        if time.is_zero() {
            redis.del(&[&key]).await?;
            return Ok(());
        }
        let until_ms = self.clock.now_ms().saturating_add(time.as_millis() as i64);
        redis
            .set(
                &key,
                &until_ms.to_string(),
                SetOptions::new().expires_in(time),
            )
            .await?;
        Ok(())
    }

    fn judge(&self, check: &Check, outcome: Result<Verdict, Error>) -> Verdict {
        let verdict = match outcome {
            Ok(verdict) => verdict,
            Err(error) => return self.unanswered(check, &error),
        };
        if verdict.reason == Reason::Counted {
            check.is_counted.store(true, Ordering::SeqCst);
        }
        let key = self.keys.state(check);
        let quota = Quota {
            at_ms: self.clock.now_ms(),
            limit: verdict.limit,
            remaining: verdict.remaining,
            reset_at_ms: verdict.reset_at_ms,
        };
        self.seen.add(key.clone(), quota);
        if !verdict.admitted {
            let now = self.clock.now_ms();
            self.blocked
                .add(key, check.weight, now, verdict.reset_at_ms);
        }
        verdict
    }

    fn scripts(&self, check: &Check) -> Scripts {
        Scripts {
            state: self.keys.state(check),
            limit: self.keys.limit(check.rule.action),
            deny: self.keys.deny(&check.caller),
        }
    }
}

fn call(check: &Check) -> Call<'_> {
    Call {
        now_ms: check.at_ms,
        id: &check.id,
        weight: check.weight,
        parameters: Parameters::of(&check.rule),
    }
}

fn window_end(check: &Check) -> i64 {
    let window = check.rule.window_ms();
    (check.at_ms.div_euclid(window) + 1) * window
}

fn counted(check: &Check, count: i64) -> Verdict {
    let limit = i64::from(check.rule.limit);
    let reason = if count > limit {
        Reason::Exceeded
    } else {
        Reason::Counted
    };
    Verdict {
        admitted: reason == Reason::Counted,
        reason,
        limit: check.rule.limit,
        remaining: (limit - count).clamp(0, limit) as u32,
        reset_at_ms: window_end(check),
    }
}
