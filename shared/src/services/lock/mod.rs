//! One holder at a time, across processes.
//!
//! A lock is a key that holds the token of its holder and expires with the lease. A
//! holder may be paused for longer than its lease and not know; so a lock alone
//! protects nothing for certain. Each acquisition therefore has a **fence**, a number
//! above all before it, and what the lock protects must refuse a writer whose fence is
//! below the highest it has seen, in the step that writes.
//!
//! **A channel's cursors** are protected like that, by the queue's fences instead of a
//! lock's. Its record names its owner, an attempt of a job (job and fence), and
//! `scan/scripts/save.lua` writes clips, cursors, counts and the job's progress only if
//! the writer is that owner. Fences of different jobs are not comparable, so it is
//! equality that counts: `take.lua` replaces an owner of another job when its ownership
//! has ended, and one of the same job with a higher fence at any time; whoever was
//! replaced saves nothing more of what it read, also after the new owner has let go. A
//! holder that was paused
//! with a page on its way and goes on after its lease is shown in
//! `tests/it/scan/fence.rs`.
//!
//! | | billed | round trips |
//! |---|---|---|
//! | acquire, or find it held | 2 | 1 |
//! | extend | 1 | 1 |
//! | release | 1 | 1 |
//!
//! **Lost replies.** Each command may be sent twice: an acquisition finds its own
//! token and holds the lock; extending and releasing compare the token. The fence may
//! then skip a number, which does no harm. An acquisition that fails for good gives
//! back, if it can, what it may have got.
//!
//! **Time.** The lease is counted here from before the first sending and there from
//! its arrival, so the holder stops first. Both the time of day and the monotonic
//! clock count: a frozen process may miss time on either.
//!
//! Not here: fairness. Waiters are served as they happen to ask.

mod error;
mod held;
mod keys;
mod wait;
mod with_lock;

use std::time::Duration;

pub use error::Error;
pub use held::Held;
pub use keys::Keys;

use crate::clock::Clock;
use crate::redis::commands::whole_ms;
use crate::redis::{Command, Error as Failure, Pipeline, Prefix, Redis};

/// The lease unless another is given.
pub const LEASE: Duration = Duration::from_secs(300);

/// Locks by name. Cheap to clone.
#[derive(Clone)]
pub struct Locks {
    redis: Redis,
    keys: Keys,
    clock: Clock,
}

impl Locks {
    /// The locks under this key prefix.
    pub fn new(redis: Redis, prefix: &str, clock: Clock) -> Locks {
        Locks {
            redis,
            keys: Keys(Prefix::new(prefix)),
            clock,
        }
    }

    /// Takes the lock of `resource` for `lease`, in whole milliseconds, or answers `None`
    /// while another holds it.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn try_acquire(
        &self,
        resource: &str,
        lease: Duration,
    ) -> Result<Option<Held>, Error> {
        let key = self.keys.lock(resource);
        let token = token();
        let mut held = Held::new(
            self.redis.clone(),
            &self.clock,
            key.clone(),
            token.clone(),
            lease,
        );
        // One step, so that a later holder's fence is above this one's.
        let mut step = Pipeline::new();
        let holder = step.add(
            Command::<Option<String>>::safe("SET")
                .arg(&key)
                .arg(&token)
                .arg("NX")
                .arg("GET")
                .arg("PX")
                .arg(whole_ms(lease)),
        );
        let fence = step.add(Command::<u64>::safe("INCR").arg(self.keys.fence()));
        let read = async {
            let mut replies = step.send_atomic(&*self.redis).await?;
            Ok((replies.take(holder)?, replies.take(fence)?))
        };
        match read.await {
            Ok((holder, fence)) if holder.as_ref().is_none_or(|holder| *holder == token) => {
                held.fence = fence;
                Ok(Some(held))
            }
            Ok(_) => Ok(None),
            Err(error) => {
                let error: Failure = error;
                // Either half may have run, and nobody will ask with this token again.
                if !matches!(
                    error,
                    Failure::Unreachable(_) | Failure::Unauthorized | Failure::LimitReached
                ) {
                    let _ = held.release().await;
                }
                Err(error.into())
            }
        }
    }
}

/// Random, and no other acquisition's.
fn token() -> String {
    ulid::Ulid::generate().to_string()
}
