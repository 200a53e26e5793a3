//! A lock that is held.

use std::time::Duration;

use super::error::Error;
use crate::clock::Clock;
use crate::redis::commands::strings::{SetOptions, set};
use crate::redis::{Command, Redis, Repeat};

/// The exclusive right to the resource, until the lease ends. [`Held::release`] gives the
/// lock back. Dropping it leaves the lock to its lease.
pub struct Held {
    redis: Redis,
    clock: Clock,
    key: String,
    token: String,
    pub(super) fence: u64,
    until: Moment,
}

/// A time on both clocks.
#[derive(Clone, Copy, Debug)]
struct Moment {
    elapsed: Duration,
    time_of_day_ms: i64,
}

impl Moment {
    fn after(clock: &Clock, time: Duration) -> Moment {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Moment {
            elapsed: clock.elapsed().saturating_add(time),
            time_of_day_ms: clock.now_ms().saturating_add(ms),
        }
    }

    /// The earlier of both, by either clock.
    fn min(self, other: Moment) -> Moment {
        Moment {
            elapsed: self.elapsed.min(other.elapsed),
            time_of_day_ms: self.time_of_day_ms.min(other.time_of_day_ms),
        }
    }

    fn left(&self, clock: &Clock) -> Duration {
        let by_day = u64::try_from(self.time_of_day_ms - clock.now_ms()).unwrap_or(0);
        self.elapsed
            .saturating_sub(clock.elapsed())
            .min(Duration::from_millis(by_day))
    }
}

impl Held {
    /// Created before anything is sent, because the lease counts from here.
    pub(super) fn new(
        redis: Redis,
        clock: &Clock,
        key: String,
        token: String,
        lease: Duration,
    ) -> Held {
        Held {
            redis,
            clock: clock.clone(),
            key,
            token,
            fence: 0,
            until: Moment::after(clock, lease),
        }
    }

    /// A number above that of every earlier holder. Store it with what the lock protects,
    /// and refuse writes with a lower one.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// How long the lock is certainly held. Zero if another process may hold it.
    pub fn left(&self) -> Duration {
        self.until.left(&self.clock)
    }

    /// Sets the lease to `lease` from now, to the millisecond. A shorter lease than before
    /// shortens it. Returns false if another process may hold the lock; then stop all work
    /// under it.
    ///
    /// # Errors
    /// Redis could not be reached. The lease may be the old or the new one, so the lock then
    /// counts as held for the shorter of the two.
    pub async fn extend(&mut self, lease: Duration) -> Result<bool, Error> {
        let until = Moment::after(&self.clock, lease);
        let options = SetOptions::new().expires_in(lease).if_equal(&self.token);
        let mut command = set(&self.key, &self.token, options);
        // The value does not change, so a second sending gets the same answer as the first.
        command.raw.repeat = Repeat::Safe;
        // Before it is sent: the reply may be lost, and the caller may stop waiting for it.
        self.until = self.until.min(until);
        let holds = command.send(&*self.redis).await?;
        self.until = if holds {
            until
        } else {
            Moment::after(&self.clock, Duration::ZERO)
        };
        Ok(holds)
    }

    /// Gives the lock back. Returns false if it was no longer held, or if the first reply
    /// was lost.
    ///
    /// # Errors
    /// Redis could not be reached. The lock then ends with its lease.
    pub async fn release(self) -> Result<bool, Error> {
        // Compared and deleted in one step, because after the lease the key may belong to
        // another holder.
        let command = Command::<bool>::safe("DELEX")
            .arg(&self.key)
            .arg("IFEQ")
            .arg(&self.token);
        Ok(command.send(&*self.redis).await?)
    }
}
