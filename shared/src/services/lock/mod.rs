//! Locks with one holder at a time, across processes.
//!
//! A lock is a key that holds its holder's token and expires with the lease. A holder may
//! be paused for longer than its lease without noticing, so a lock alone protects nothing
//! for certain. Each acquisition therefore has a **fence**, a number above all earlier
//! ones. Whatever the lock protects must store the highest fence it has seen, and refuse a
//! writer with a lower one in the same step as the write.
//!
//! **A channel's cursors** are protected in this way, but with the queue's fences instead
//! of a lock's. The channel's record names its owner, an attempt of a job (job and fence).
//! `scan/scripts/save.lua` writes clips, cursors, counts and the job's progress only if the
//! writer is that owner. Fences of different jobs cannot be compared, so only equality
//! counts. `take.lua` replaces an owner from another job once its ownership has ended, and
//! an owner from the same job at any time, if the new fence is higher. A replaced owner can
//! no longer save anything it read, even after the new owner has given up the record.
//! `tests/it/scan/fence.rs` shows a holder that was paused with a page on its way and
//! continues after its lease.
//!
//! | operation | billed | round trips |
//! |---|---|---|
//! | acquire, or find it held | 2 | 1 |
//! | extend | 1 | 1 |
//! | release | 1 | 1 |
//!
//! **Lost replies.** Each command may be sent twice. A repeated acquisition finds its own
//! token and holds the lock. Extending and releasing compare the token. The fence may then
//! skip a number, which is harmless. An acquisition that finally fails tries to give back
//! what it may have acquired.
//!
//! **Time.** The holder counts the lease from before the first sending, and Redis counts it
//! from the arrival of the command, so the holder stops first. Both the time of day and the
//! monotonic clock are checked, because a frozen process may miss time on either.
//!
//! Locks are not fair: whichever waiter asks first after a release gets the lock.

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

/// The lease, unless the caller gives another.
pub const LEASE: Duration = Duration::from_secs(300);

/// Locks, by name. Cheap to clone.
#[derive(Clone)]
pub struct Locks {
    redis: Redis,
    keys: Keys,
    clock: Clock,
}

impl Locks {
    /// Returns the locks under this key prefix.
    pub fn new(redis: Redis, prefix: &str, clock: Clock) -> Locks {
        Locks {
            redis,
            keys: Keys(Prefix::new(prefix)),
            clock,
        }
    }

    /// Acquires the lock on `resource` for `lease`, in whole milliseconds. Returns `None`
    /// if another process holds it.
    ///
    /// # Errors
    /// Redis could not be reached.
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
        // Both happen in one step, so that a later holder's fence is higher than this
        // one's.
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
                // Either half may have run, and nobody will use this token again.
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

/// A random token that no other acquisition has.
fn token() -> String {
    ulid::Ulid::generate().to_string()
}
