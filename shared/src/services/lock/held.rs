//! A lock that is held.

use std::time::Duration;

use super::error::Error;
use crate::clock::Clock;
use crate::redis::commands::strings::{SetOptions, set};
use crate::redis::{Command, Redis, Repeat};

/// The right to do what one may do at a time, until the lease ends. Dropping it leaves
/// the lock to its lease: [`Held::release`] gives it back.
pub struct Held {
    redis: Redis,
    clock: Clock,
    key: String,
    token: String,
    pub(super) fence: u64,
    until: Moment,
}

/// A moment on both clocks.
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

    fn left(&self, clock: &Clock) -> Duration {
        let by_day = u64::try_from(self.time_of_day_ms - clock.now_ms()).unwrap_or(0);
        self.elapsed
            .saturating_sub(clock.elapsed())
            .min(Duration::from_millis(by_day))
    }
}

impl Held {
    /// Before anything is sent: the lease counts from here.
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

    /// Above that of every earlier holder. To be stored with what the lock protects,
    /// which refuses a lower one.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// How long the lock is certainly held; zero when another may hold it.
    pub fn left(&self) -> Duration {
        self.until.left(&self.clock)
    }

    /// Holds the lock for `lease` from now, to the millisecond; a shorter lease than
    /// before shortens it. False when another may hold it: then all is to be stopped.
    ///
    /// # Errors
    /// When Redis cannot be reached; the lease is then what it was.
    pub async fn extend(&mut self, lease: Duration) -> Result<bool, Error> {
        let until = Moment::after(&self.clock, lease);
        let options = SetOptions::new().expires_in(lease).if_equal(&self.token);
        let mut command = set(&self.key, &self.token, options);
        // The value stays what it is, so a second sending answers as the first.
        command.raw.repeat = Repeat::Safe;
        let holds = command.send(&*self.redis).await?;
        self.until = if holds {
            until
        } else {
            Moment::after(&self.clock, Duration::ZERO)
        };
        Ok(holds)
    }

    /// Gives the lock back; false when it was not held any more, or the first reply
    /// was lost.
    ///
    /// # Errors
    /// When Redis cannot be reached; the lock then ends with its lease.
    pub async fn release(self) -> Result<bool, Error> {
        // Compared in the same step: after the lease the key may be another holder's.
        let command = Command::<bool>::safe("DELEX")
            .arg(&self.key)
            .arg("IFEQ")
            .arg(&self.token);
        Ok(command.send(&*self.redis).await?)
    }
}
